/** The finished mashup of the first page. `scripts/make-example-mashup.ts` makes its files in `studio/public/example/`. */
import type { MashupSection } from '../../../../music/plan/timeline.ts';

/** Its sound. */
export const EXAMPLE_MASHUP = '/example/mashup.mp3';

/** What the page shows of it. */
export interface Example {
  title: string;
  duration_sec: number;
  songs: { songId: string; name: string; artist: string; /** Name of its file in `/examples`. */ file: string }[];
  timeline: MashupSection[];
  /** Peaks of the waveform, 0..1. */
  peaks: number[];
}

/** Reads what the page shows of the example. @throws Error if it is not served */
export async function readExample(): Promise<Example> {
  const response = await fetch('/example/mashup.json');
  if (!response.ok) throw new Error('The example is not served.');
  return (await response.json()) as Example;
}
