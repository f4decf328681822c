/**
 * A separation model in ONNX: segments of sound in, four sources out. Two forms are common, and told apart by the inputs of the graph.
 * `wave` has the transform inside: [1, 2, N] to [1, 4, 2, N]. `hybrid` receives the spectrogram of the segment as channels as well, and
 * returns a spectrogram and sound, whose sum is the result.
 */
import type { Stem } from '../../../schema.ts';
import type { StereoChunk } from '../../../audio/decode/decode.ts';
import type { StemChunk } from '../block-separator.ts';
import type { ProviderName } from '../settings.ts';
import { ModelError } from './errors.ts';
import { HYBRID_BINS, hybridFrames, HybridSpectrogram } from './hybrid-spectrogram.ts';
import type { Runtime, RuntimeSession, RuntimeTensor } from './runtime.ts';

/** Order of the sources of both forms. */
const SOURCES = ['drums', 'bass', 'other', 'vocals'] as const satisfies Stem[];
/** Segment of graphs that accept any length: that of Hybrid Transformer Demucs. */
const DEFAULT_SAMPLES = 343_980;

export interface GraphOptions {
  /** Threads of one operation. */
  threads: number;
  provider: ProviderName;
}

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
function formOf(session: RuntimeSession): Form {
  const read = (values: RuntimeSession['inputMetadata']): { name: string; shape: Shape }[] =>
    values.map(({ name, isTensor, type, shape }) => ({
      name,
      shape: isTensor && type === 'float32' ? (shape ?? []) : [],
    }));
  const [inputs, outputs] = [read(session.inputMetadata), read(session.outputMetadata)];
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
  readonly #runtime: Runtime;
  readonly #session: RuntimeSession;
  readonly #form: Form;
  readonly #spectrogram: HybridSpectrogram | undefined;
  /** The segment, as the graph receives it. */
  readonly #wave: Float32Array;

  private constructor(
    runtime: Runtime,
    session: RuntimeSession,
    form: Form,
    spectrogram: HybridSpectrogram | undefined,
  ) {
    this.#runtime = runtime;
    this.#session = session;
    this.#form = form;
    this.#spectrogram = spectrogram;
    this.#wave = new Float32Array(2 * form.samples);
  }

  /**
   * Opens a graph.
   * @throws ModelError `model_broken`, `model_unknown_form`, `model_provider_missing`
   */
  static async open(runtime: Runtime, path: string, options: GraphOptions): Promise<Graph> {
    const session = await openSession(runtime, path, options);
    const form = formOf(session);
    const spectrogram = form.kind === 'hybrid' ? await HybridSpectrogram.create(form.samples) : undefined;
    return new Graph(runtime, session, form, spectrogram);
  }

  /** Length of a segment, in samples at 44.1 kHz. */
  get samples(): number {
    return this.#form.samples;
  }

  /**
   * Separates a segment of up to `samples` samples. A shorter one is followed by silence.
   * @returns stems of the length of the segment
   * @throws ModelError `model_failed`
   */
  async separate(segment: StereoChunk): Promise<StemChunk> {
    const { samples, wave, sources } = this.#form;
    const length = segment[0].length;
    this.#wave.fill(0);
    this.#wave.set(segment[0]);
    this.#wave.set(segment[1], samples);
    const channels: StereoChunk = [this.#wave.subarray(0, samples), this.#wave.subarray(samples)];
    const results = await this.#run(
      { [wave]: new this.#runtime.Tensor('float32', this.#wave, [1, 2, samples]) },
      channels,
    );
    const sound = dataOf(results, sources, 2 * SOURCES.length * samples);
    const stems = SOURCES.map((stem, i): [Stem, StereoChunk] => {
      const channel = (k: number): Float32Array => sound.subarray((2 * i + k) * samples, (2 * i + k + 1) * samples);
      return [stem, [channel(0), channel(1)]];
    });
    this.#addSpectra(results, stems);
    fillRest(stems, channels);
    return Object.fromEntries(
      stems.map(([stem, [left, right]]) => [stem, [left.subarray(0, length), right.subarray(0, length)]]),
    ) as StemChunk;
  }

  async #run(feeds: Record<string, RuntimeTensor>, channels: StereoChunk): Promise<Record<string, RuntimeTensor>> {
    if (this.#form.kind === 'hybrid' && this.#spectrogram) {
      const { Tensor } = this.#runtime;
      const values = new Float32Array(this.#spectrogram.size);
      this.#spectrogram.forward(channels, values);
      feeds[this.#form.spectrogram] = new Tensor('float32', values, [
        1,
        4,
        HYBRID_BINS,
        hybridFrames(this.#form.samples),
      ]);
    }
    try {
      return await this.#session.run(feeds);
    } catch (cause) {
      throw new ModelError('model_failed', 'The separation model failed.', {
        hint: 'Check that the machine has enough memory, or use the classical separation.',
        cause,
      });
    }
  }

  #addSpectra(results: Record<string, RuntimeTensor>, stems: readonly [Stem, StereoChunk][]): void {
    if (this.#form.kind !== 'hybrid' || !this.#spectrogram) return;
    const { size } = this.#spectrogram;
    const spectra = dataOf(results, this.#form.spectra, size * SOURCES.length);
    for (const [i, [, channels]] of stems.entries())
      this.#spectrogram.addInverse(spectra.subarray(i * size, (i + 1) * size), channels);
  }

  /** Releases the memory. */
  async release(): Promise<void> {
    this.#spectrogram?.free();
    await this.#session.release();
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

function dataOf(results: Record<string, RuntimeTensor>, name: string, length: number): Float32Array {
  const data = results[name]?.data;
  if (data instanceof Float32Array && data.length === length) return data;
  throw new ModelError('model_unknown_form', 'The model returned values of another size than its outputs declare.', {
    hint: 'Use a graph that takes [1, 2, N] and returns [1, 4, 2, N], or one of the form of htdemucs with spectrograms.',
  });
}

/**
 * Options of the session. In sequential order the runtime plans the reuse of buffers ahead and keeps them from their first to their last use:
 * htdemucs then takes 2.5 to 5 GB instead of 1.2.
 */
const sessionOptions = ({ threads, provider }: GraphOptions): Record<string, unknown> => ({
  executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
  executionMode: 'parallel',
  interOpNumThreads: 2,
  intraOpNumThreads: threads,
  enableMemPattern: false,
  logSeverityLevel: 3,
  extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
});

async function openSession(runtime: Runtime, path: string, options: GraphOptions): Promise<RuntimeSession> {
  try {
    return await runtime.InferenceSession.create(path, sessionOptions(options));
  } catch (cause) {
    if (options.provider !== 'cpu' && /provider|backend/i.test(String(cause)))
      throw new ModelError(
        'model_provider_missing',
        `ONNX Runtime has no provider ${options.provider} on this machine.`,
        {
          hint: 'Set SEPARATION_PROVIDER=cpu, or install what the provider needs.',
          cause,
        },
      );
    throw new ModelError('model_broken', 'The file of the separation model cannot be read.', {
      hint: 'Install the model again, or check the file that SEPARATION_MODEL names.',
      cause,
    });
  }
}
