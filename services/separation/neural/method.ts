/** Separation by a graph: segments of a fixed length with a cross-fade. */
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import type { SeparationMethod } from '../method.ts';
import type { Graph } from './graph.ts';

/** Share of a segment that is cross-faded with the next one. Only the first and last 0.3 s of a segment are worse than its middle. */
const OVERLAP = 0.1;
/** Least sound before and after a part of a song. */
const CONTEXT = SAMPLE_RATE / 4;

/** Shorter steps than those of the classical method: a segment less counts more than a piece less. */
const GRID_SEC = 0.25;

/**
 * Returns the method of a graph, which stays open. Its cost is the number of segments: a whole segment costs the same, whether it holds sound
 * or silence.
 * @param model name of the model that is stored with the stems
 * @param onSegment is called after each segment
 */
export function neuralMethod(
  graph: Pick<Graph, 'samples' | 'separate'>,
  model: string,
  onSegment?: () => void,
): SeparationMethod {
  const block = graph.samples;
  const overlap = Math.floor(OVERLAP * block);
  const segmentsFor = (samples: number): number => Math.max(1, Math.ceil((samples - overlap) / (block - overlap)));
  return {
    model,
    overlap,
    context: CONTEXT,
    gridSec: GRID_SEC,
    costOf: segmentsFor,
    lengthFor: (samples) => segmentsFor(samples) * (block - overlap) + overlap,
    blockLength: () => block,
    open: async () => ({
      async separate(sound) {
        const stems = await graph.separate(sound);
        onSegment?.();
        return stems;
      },
      free: () => {},
    }),
  };
}
