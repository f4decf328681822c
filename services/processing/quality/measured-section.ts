/** The input of the layer checks. */
import type { LayerMeasurement } from '../measure/layer.ts';
import type { OnsetEnvelopes } from '../measure/onsets.ts';

/** A rendered section: measurements of its layers, and the drum onsets of each song in it. */
export type MeasuredSection = {
  durationSec: number;
  bpm: number;
  layers: LayerMeasurement[];
  /**
   * Drum onsets in the time of the section, by song that keeps the beat: of its drums, or where its drums would play if the section
   * had them.
   */
  onsets: ReadonlyMap<string, OnsetEnvelopes>;
  /** Songs with a beat that play at their own speed. Sound without a beat cannot disturb the beat of another song. */
  free: ReadonlySet<string>;
  /** Songs that are read at half or twice their tempo: their backbeat does not coincide with that of the mashup. */
  otherPulse: ReadonlySet<string>;
};

export type Expectations = {
  sampleRate: number;
  beatsPerBar: number;
  /** The song that carries the beat: the timing of the others is measured against it. */
  anchor: string;
  /** Largest change of speed of a song that keeps the beat, as a share. */
  tempoChange: number;
  /** Beats per bar of each song, null if unknown. */
  meters: ReadonlyMap<string, number | null>;
  /** Share of the bars that start on bar lines; null if no song has the mashup's meter. */
  downbeatsOnBars: number | null;
};
