/** Separation by a graph: segments of a fixed length with a cross-fade. */
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import type { SeparationMethod } from '../method.ts';
import type { Graph } from './graph.ts';

/** Share of a segment that is cross-faded with the next one, as in Demucs. */
const OVERLAP = 0.25;
/** Least sound before and after a part of a song. */
const CONTEXT = SAMPLE_RATE / 2;

/** A method that tells its number of segments. */
export interface NeuralMethod extends SeparationMethod {
  /** Number of segments of sound of a length. */
  segmentsFor(samples: number): number;
}

/**
 * Returns the method of a graph, which stays open.
 * @param model name of the model that is stored with the stems
 * @param onSegment is called after each segment
 */
export function neuralMethod(graph: Graph, model: string, onSegment?: () => void): NeuralMethod {
  const block = graph.samples;
  const overlap = Math.floor(OVERLAP * block);
  const lengthOf = (count: number): number => count * block - (count - 1) * overlap;
  const segmentsFor = (samples: number): number => Math.max(1, Math.ceil((samples - overlap) / (block - overlap)));
  return {
    model,
    overlap,
    segmentsFor,
    blockLength: () => block,
    // Whole segments cost the same, whether they hold sound or silence.
    contextOf: (samples) => Math.floor((lengthOf(segmentsFor(samples + 2 * CONTEXT)) - samples) / 2),
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
