/** The colours of one song, as whole class names, so that Tailwind finds them. */
export interface Tone {
  /** Readable on the ground, panels and raised parts. */
  text: string;
  background: string;
  border: string;
  /** For SVG. */
  color: string;
}

const TONES: Tone[] = [1, 2, 3].map((place) => ({
  text: ['text-song-1-text', 'text-song-2-text', 'text-song-3-text'][place - 1] ?? 'text-song-1-text',
  background: ['bg-song-1', 'bg-song-2', 'bg-song-3'][place - 1] ?? 'bg-song-1',
  border: ['border-song-1', 'border-song-2', 'border-song-3'][place - 1] ?? 'border-song-1',
  color: `rgb(var(--song-${place}))`,
}));

/** The colours of the song at a position among the songs, from 0. */
export function toneOf(place: number): Tone {
  return TONES[((place % TONES.length) + TONES.length) % TONES.length] as Tone;
}
