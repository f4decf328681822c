/** Small graphs of both forms: each source is the song times a gain. And graphs that cannot be used. */
import { HYBRID_BINS, hybridFrames } from '../../services/separation/neural/hybrid-spectrogram.ts';
import { DOUBLE, onnxFile } from './onnx-file.ts';
import type { GraphConstant, GraphValue, SmallGraph } from './onnx-file.ts';

/** Segment of the small graphs: 43 frames of a spectrogram, one second. */
export const SMALL_SEGMENT = 44_032;
const FRAMES = hybridFrames(SMALL_SEGMENT);

const wave: GraphValue = { name: 'wave', dims: [1, 2, SMALL_SEGMENT] };
const sources = (...dims: (number | string)[]): GraphValue => ({ name: 'sources', dims });

const floats = (name: string, values: readonly number[], dims: readonly number[]): GraphConstant => ({
  name,
  dims,
  data: Float32Array.from(values),
});
const sizes = (name: string, values: readonly number[]): GraphConstant => ({
  name,
  dims: [values.length],
  data: BigInt64Array.from(values.map(BigInt)),
});

/** [1, 2, N] to [1, 4, 2, N]. */
const waveGraph = (gains: readonly number[]): SmallGraph => ({
  inputs: [wave],
  outputs: [sources(1, 4, 2, SMALL_SEGMENT)],
  constants: [sizes('axis', [1]), floats('gains', gains, [1, 4, 1, 1])],
  nodes: [
    { operator: 'Unsqueeze', inputs: ['wave', 'axis'], outputs: ['one'] },
    { operator: 'Mul', inputs: ['one', 'gains'], outputs: ['sources'] },
  ],
});

/** Takes gains of drums, bass, other and vocals. */
export const waveFile = (gains: readonly number[]): Buffer => onnxFile(waveGraph(gains));

/** The form of htdemucs. The result is the sum of both outputs, each with gains of its own. */
export const hybridFile = (soundGains: readonly number[], spectrumGains: readonly number[]): Buffer =>
  onnxFile({
    inputs: [wave, { name: 'spectrogram', dims: [1, 4, HYBRID_BINS, FRAMES] }],
    outputs: [{ name: 'spectra', dims: [1, 4, 4, HYBRID_BINS, FRAMES] }, sources(1, 4, 2, SMALL_SEGMENT)],
    constants: [
      sizes('axis', [1]),
      floats('sound gains', soundGains, [1, 4, 1, 1]),
      floats('spectrum gains', spectrumGains, [1, 4, 1, 1, 1]),
    ],
    nodes: [
      { operator: 'Unsqueeze', inputs: ['wave', 'axis'], outputs: ['one wave'] },
      { operator: 'Mul', inputs: ['one wave', 'sound gains'], outputs: ['sources'] },
      { operator: 'Unsqueeze', inputs: ['spectrogram', 'axis'], outputs: ['one spectrogram'] },
      { operator: 'Mul', inputs: ['one spectrogram', 'spectrum gains'], outputs: ['spectra'] },
    ],
  });

const EVEN = [0.25, 0.25, 0.25, 0.25];
const valid = waveFile(EVEN);

/** Files that are no graphs. */
export const BROKEN_FILES: Record<string, Uint8Array> = {
  'a file that was cut off': valid.subarray(0, valid.length / 2),
  'an empty file': new Uint8Array(),
  'a text file': Buffer.from('This is no graph.\n'.repeat(20)),
};

/** Graphs that no separation can use. */
export const OTHER_FORMS: Record<string, Uint8Array> = {
  'two sources': onnxFile({
    inputs: [wave],
    outputs: [sources(1, 2, 2, SMALL_SEGMENT)],
    constants: [sizes('axis', [1]), floats('gains', [0.5, 0.5], [1, 2, 1, 1])],
    nodes: waveGraph([]).nodes,
  }),
  'sound with one channel': onnxFile({
    inputs: [{ name: 'wave', dims: [1, 1, SMALL_SEGMENT] }],
    outputs: [{ name: 'sources', dims: [1, 1, SMALL_SEGMENT] }],
    nodes: [{ operator: 'Identity', inputs: ['wave'], outputs: ['sources'] }],
  }),
  'sound as 64-bit floats': onnxFile({
    inputs: [{ name: 'wave', dims: [1, 2, SMALL_SEGMENT], type: DOUBLE }],
    outputs: [{ name: 'sources', dims: [1, 2, SMALL_SEGMENT], type: DOUBLE }],
    nodes: [{ operator: 'Identity', inputs: ['wave'], outputs: ['sources'] }],
  }),
  'a spectrogram and one output': onnxFile({
    inputs: [wave, { name: 'spectrogram', dims: [1, 4, HYBRID_BINS, FRAMES] }],
    outputs: [sources(1, 4, 2, SMALL_SEGMENT)],
    constants: waveGraph(EVEN).constants,
    nodes: waveGraph(EVEN).nodes,
  }),
  'values of another size than declared': onnxFile({
    inputs: [wave],
    outputs: [sources('batch', 'source', 'channel', 'sample')],
    constants: [sizes('axis', [1])],
    nodes: [{ operator: 'Unsqueeze', inputs: ['wave', 'axis'], outputs: ['sources'] }],
  }),
};

/** Graphs that fail while they run. */
export const FAILING: Record<string, Uint8Array> = {
  'values that are no numbers': waveFile([Number.NaN, 0.2, 0.2, 0.2]),
  'infinite values': waveFile([0.1, Number.POSITIVE_INFINITY, 0.2, 0.2]),
  'an index that is out of range': onnxFile({
    ...waveGraph(EVEN),
    constants: [...waveGraph(EVEN).constants!, sizes('indices', [5])],
    nodes: [
      { operator: 'Unsqueeze', inputs: ['wave', 'axis'], outputs: ['all'] },
      { operator: 'Gather', inputs: ['all', 'indices'], outputs: ['one'] },
      { operator: 'Mul', inputs: ['one', 'gains'], outputs: ['sources'] },
    ],
  }),
};
