/** Edits of a plan by hand. They are a document: their members have the names that they are stored with. */

/** A layer of a plan, in an edit: one stem of one song in a section. */
interface EditedLayer {
  /** Index of the section, from 0. */
  section: number;
  song_id: string;
  stem: 'vocals' | 'drums' | 'bass' | 'other';
}

/**
 * An edit of a plan by hand. As a document it keeps the names that it is stored with. Sections are named by their index in the plan
 * that is edited; the n-th repeated section has the number of sections of the plan plus n, from 0.
 */
export type PlanEdit =
  /** Moves the edge after a section: it gets longer by this many bars, and the next one shorter. Negative: shorter. */
  | { kind: 'move_edge'; section: number; bars: number }
  | { kind: 'remove_section'; section: number }
  | { kind: 'repeat_section'; section: number }
  /** Sets the level of a layer, -40 to 6 dB. */
  | ({ kind: 'layer_level'; db: number } & EditedLayer)
  | ({ kind: 'mute_layer' } & EditedLayer)
  | ({ kind: 'unmute_layer' } & EditedLayer)
  /** The song that sings and the song that plays change their roles. */
  | { kind: 'swap_songs' }
  /** Takes the vocals from one song, drums and bass from another. */
  | { kind: 'roles'; sings?: string; plays?: string };
