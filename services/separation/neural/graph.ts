/**
 * A separation model in ONNX: segments of sound in, four sources out. Two forms are common, and told apart by the inputs of the graph.
 * `wave` has the transform inside: [1, 2, N] to [1, 4, 2, N]. `hybrid` receives the spectrogram of the segment as channels as well, and
 * returns a spectrogram and sound, whose sum is the result.
 */
import type { Stem } from '../../../schema.ts';
import type { StereoChunk } from '../../../audio/decode/decode.ts';
import type { StemChunk } from '../block-separator.ts';
import { ModelError } from './errors.ts';
import { HYBRID_BINS, hybridFrames, HybridSpectrogram } from './hybrid-spectrogram.ts';
import type { ValueMetadata } from './runtime.ts';
import { Session } from './session.ts';
import type { NamedValues } from './session-messages.ts';
import type { ThreadTask } from './thread.ts';

/** Order of the sources of both forms. */
const SOURCES = ['drums', 'bass', 'other', 'vocals'] as const satisfies Stem[];
/** Segment of graphs that accept any length: that of Hybrid Transformer Demucs. */
const DEFAULT_SAMPLES = 343_980;

type Shape = readonly (number | string)[];

/** Names of the values of a graph, and the length of its segments in samples. */
type Form =
  | { kind: 'wave'; samples: number; wave: string; sources: string }
  | { kind: 'hybrid'; samples: number; wave: string; spectrogram: string; sources: string; spectra: string };

/** Whether a shape has these sizes. Names of the graph stand for any size. */
const fits = (shape: Shape, sizes: readonly (number | undefined)[]): boolean =>
  shape.length === sizes.length &&
  shape.every((size, i) => typeof size === 'string' || size < 0 || sizes[i] === undefined || size === sizes[i]);

/**
 * Tells the form of a graph by its inputs and outputs.
 * @throws ModelError `model_unknown_form`
 */
function formOf(session: Session): Form {
  const read = (values: readonly ValueMetadata[]): { name: string; shape: Shape }[] =>
    values.map(({ name, isTensor, type, shape }) => ({
      name,
      shape: isTensor && type === 'float32' ? (shape ?? []) : [],
    }));
  const [inputs, outputs] = [read(session.inputs), read(session.outputs)];
  const wave = inputs.find(({ shape }) => fits(shape, [1, 2, undefined]));
  const size = wave?.shape[2];
  const samples = typeof size === 'number' && size > 0 ? size : DEFAULT_SAMPLES;
  const sources = outputs.find(({ shape }) => fits(shape, [1, SOURCES.length, 2, samples]));
  if (wave && sources && inputs.length === 1) return { kind: 'wave', samples, wave: wave.name, sources: sources.name };
  const frames = hybridFrames(samples);
  const spectrogram = inputs.find(({ shape }) => fits(shape, [1, 4, HYBRID_BINS, frames]));
  const spectra = outputs.find(({ shape }) => fits(shape, [1, SOURCES.length, 4, HYBRID_BINS, frames]));
  if (wave && sources && spectrogram && spectra && inputs.length === 2)
    return {
      kind: 'hybrid',
      samples,
      wave: wave.name,
      spectrogram: spectrogram.name,
      sources: sources.name,
      spectra: spectra.name,
    };
  throw new ModelError(
    'model_unknown_form',
    `The model has another form: ${describe(inputs)} to ${describe(outputs)}.`,
    {
      hint: 'Use a graph that takes [1, 2, N] and returns [1, 4, 2, N], or one of the form of htdemucs with spectrograms.',
    },
  );
}

const describe = (values: { shape: Shape }[]): string =>
  values
    .map(({ shape }) => (shape.length > 0 ? `[${shape.join(', ')}]` : 'no tensor of 32-bit floats'))
    .join(' and ')
    .slice(0, 200);

/** A graph that separates segments of one length. It must be released. */
export class Graph {
  readonly #session: Session;
  readonly #form: Form;
  readonly #spectrogram: HybridSpectrogram | undefined;

  private constructor(session: Session, form: Form, spectrogram: HybridSpectrogram | undefined) {
    this.#session = session;
    this.#form = form;
    this.#spectrogram = spectrogram;
  }

  /**
   * Opens a graph.
   * @throws ModelError `model_runtime_missing`, `model_broken`, `model_unknown_form`, `model_provider_missing`
   */
  static async open(task: ThreadTask): Promise<Graph> {
    const session = await Session.open(task);
    try {
      const form = formOf(session);
      const spectrogram = form.kind === 'hybrid' ? await HybridSpectrogram.create(form.samples) : undefined;
      return new Graph(session, form, spectrogram);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** Length of a segment, in samples at 44.1 kHz. */
  get samples(): number {
    return this.#form.samples;
  }

  /**
   * Separates a segment of up to `samples` samples. A shorter one is followed by silence.
   * @returns stems of the length of the segment
   * @throws ModelError `model_failed`, `model_unknown_form`
   */
  async separate(segment: StereoChunk): Promise<StemChunk> {
    const { samples, sources } = this.#form;
    const length = segment[0].length;
    const results = await this.#session.run(this.#feedsFor(segment));
    const sound = dataOf(results, sources, 2 * SOURCES.length * samples);
    const stems = SOURCES.map((stem, i): [Stem, StereoChunk] => {
      const channel = (k: number): Float32Array => sound.subarray((2 * i + k) * samples, (2 * i + k + 1) * samples);
      return [stem, [channel(0), channel(1)]];
    });
    this.#addSpectra(results, stems);
    const cut = stems.map(([stem, [left, right]]): [Stem, StereoChunk] => [
      stem,
      [left.subarray(0, length), right.subarray(0, length)],
    ]);
    fillRest(cut, segment);
    assertNumbers(cut);
    return Object.fromEntries(cut) as StemChunk;
  }

  #feedsFor(segment: StereoChunk): NamedValues {
    const { samples, wave } = this.#form;
    const sound = new Float32Array(2 * samples);
    sound.set(segment[0]);
    sound.set(segment[1], samples);
    const feeds: NamedValues = { [wave]: { data: sound, dims: [1, 2, samples] } };
    if (this.#form.kind === 'hybrid' && this.#spectrogram) {
      const data = new Float32Array(this.#spectrogram.size);
      this.#spectrogram.forward([sound.subarray(0, samples), sound.subarray(samples)], data);
      feeds[this.#form.spectrogram] = { data, dims: [1, 4, HYBRID_BINS, hybridFrames(samples)] };
    }
    return feeds;
  }

  #addSpectra(results: NamedValues, stems: readonly [Stem, StereoChunk][]): void {
    if (this.#form.kind !== 'hybrid' || !this.#spectrogram) return;
    const { size } = this.#spectrogram;
    const spectra = dataOf(results, this.#form.spectra, size * SOURCES.length);
    for (const [i, [, channels]] of stems.entries())
      this.#spectrogram.addInverse(spectra.subarray(i * size, (i + 1) * size), channels);
  }

  /** Releases the memory. */
  async release(): Promise<void> {
    this.#spectrogram?.free();
    await this.#session.close();
  }
}

/** Other is the rest of the sound, so that the stems sum to it. It is as near to the truth as what the graph returns. */
function fillRest(stems: readonly [Stem, StereoChunk][], mix: StereoChunk): void {
  const rest = stems.find(([stem]) => stem === 'other')![1];
  for (const channel of [0, 1] as const) {
    rest[channel].set(mix[channel]);
    for (const [stem, channels] of stems)
      if (stem !== 'other') for (let i = 0; i < rest[channel].length; i++) rest[channel][i]! -= channels[channel][i]!;
  }
}

/** A value of any stem that is not finite makes the rest so. @throws ModelError `model_failed` */
function assertNumbers(stems: readonly [Stem, StereoChunk][]): void {
  const rest = stems.find(([stem]) => stem === 'other')![1];
  if (rest.every((channel) => channel.every(Number.isFinite))) return;
  throw new ModelError('model_failed', 'The separation model returned values that are not finite numbers.', {
    hint: 'Use another model, or the classical separation.',
  });
}

function dataOf(results: NamedValues, name: string, length: number): Float32Array {
  const data = results[name]?.data;
  if (data instanceof Float32Array && data.length === length) return data;
  throw new ModelError('model_unknown_form', 'The model returned values of another size than its outputs declare.', {
    hint: 'Use a graph that takes [1, 2, N] and returns [1, 4, 2, N], or one of the form of htdemucs with spectrograms.',
  });
}
