/**
 * Offline time-stretching and pitch-shifting with Signalsmith Stretch (WASM).
 *
 * The library is an AudioWorklet processor. Its WASM module is obtained by defining the globals of an AudioWorklet while it
 * starts; nothing else of a browser is needed. Calls block the thread: use a worker thread.
 */
import { Resampler } from './resample.ts';
import { divideRate, haveEqualSamples, SPARE_RANGE, spareRate } from './spare-rate.ts';
import { sourceReader, type TimeMap } from './time-map.ts';

/** Output samples at the full rate between two reads of the time map: 6 ms, finer than tempo changes between two beats. */
const MAP_STEP = 256;
/**
 * Lengths of a block and of the interval between blocks, in seconds of the output, by what must be kept: attacks, notes, or notes down
 * to 37 Hz. Longer blocks keep lower notes in tune, shorter ones smear attacks less, and longer intervals cost less. Notes without a
 * shift have the default of the library.
 */
const BLOCKS = {
  attacks: { block: 0.1, interval: 0.04 },
  notes: { block: 0.12, interval: 0.03 },
  shiftedNotes: { block: 0.1, interval: 0.1 / 3 },
  lowNotes: { block: 0.12, interval: 0.04 },
};
/** Largest denominator of the ratio of a pitch shift: within 0.05 cents. */
const MAX_DENOMINATOR = 200;
/** Samples that are stretched beyond the end, because a sample of another rate depends on its neighbours. */
const RESAMPLING_MARGIN = 64;
/** Sound before and after the played part that a stretch may read: more than two of the longest blocks. */
const MARGIN_SEC = 0.5;
/** Rendered and dropped before the first output sample, so that an attack at the start is complete. */
const PREROLL_SEC = 0.06;
/** Channels that the library starts with; each stretch sets its own. */
const CHANNELS = 2;

type StretchModule = {
  HEAP8: Int8Array;
  _configure(channels: number, blockSamples: number, intervalSamples: number, splitComputation: number): void;
  _inputLatency(): number;
  _outputLatency(): number;
  _reset(): void;
  _setBuffers(channels: number, length: number): number;
  _setTransposeSemitones(semitones: number, tonalityLimit: number): void;
  _setFormantSemitones(semitones: number, compensate: boolean): void;
  _setFormantBase(frequency: number): void;
  _seek(inputLength: number, rate: number): void;
  _process(inputLength: number, outputLength: number): void;
};

type Processor = new (options: { numberOfOutputs: number; outputChannelCount: number[] }) => {
  wasmModule: StretchModule;
};

type Loaded = { module: StretchModule; memory: Int8Array };

let loading: Promise<Loaded> | undefined;

/** Defines globals during `work` and restores the previous ones. */
async function withGlobals<T>(values: Record<string, unknown>, work: () => Promise<T>): Promise<T> {
  const before = Object.keys(values).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  try {
    return await work();
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else Reflect.deleteProperty(globalThis, name);
    }
  }
}

/** Starts the library and takes a copy of its initial memory. */
async function loadModule(): Promise<Loaded> {
  let registered: Processor | undefined;
  let markReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (markReady = resolve));
  class AudioWorkletProcessor {
    port = {
      onmessage: null,
      postMessage: (message: unknown[]): void => {
        if (message[0] === 'ready') markReady();
      },
    };
  }
  const globals = {
    AudioWorkletProcessor,
    registerProcessor: (_name: string, processor: Processor): void => {
      registered = processor;
    },
    sampleRate: 44_100,
    currentTime: 0,
    // Seeds the phase noise of the library. A constant seed makes the output deterministic.
    crypto: { getRandomValues: (view: Uint8Array): Uint8Array => view.fill(7) },
  };
  return withGlobals(globals, async () => {
    await import('signalsmith-stretch');
    if (!registered) throw new Error('signalsmith-stretch registered no processor');
    const processor = new registered({ numberOfOutputs: 1, outputChannelCount: [CHANNELS] });
    await ready;
    return { module: processor.wasmModule, memory: processor.wasmModule.HEAP8.slice() };
  });
}

/** Settings of `warp`. */
export type WarpOptions = {
  sampleRate: number;
  /** Length of the output in samples. */
  frames: number;
  /** Pitch shift in semitones; may be fractional. */
  semitones: number;
  /** Preserves the formants when the pitch is shifted: for voices. */
  keepFormants: boolean;
  /** What matters most: the attacks of drums, notes, or the low notes of a bass, down to 37 Hz. */
  keep: 'attacks' | 'notes' | 'lowNotes';
};

/** The fraction nearest to `value` with a denominator of at most `MAX_DENOMINATOR`, by continued fractions. */
function nearestFraction(value: number): { numerator: number; denominator: number } {
  let [before, now] = [
    { numerator: 0, denominator: 1 },
    { numerator: 1, denominator: 0 },
  ];
  for (let rest = value; ; rest = 1 / (rest - Math.floor(rest))) {
    const whole = Math.floor(rest);
    const next = {
      numerator: whole * now.numerator + before.numerator,
      denominator: whole * now.denominator + before.denominator,
    };
    if (next.denominator > MAX_DENOMINATOR) return now;
    [before, now] = [now, next];
    if (rest - whole < 1e-9) return now;
  }
}

/**
 * Stretches `source` (two equally long channels) along `map` and shifts its pitch. The source is silent before its start and
 * after its end. Returns two channels of `options.frames` samples. Equal input gives equal output.
 *
 * The pitch is shifted by another sample rate of what was stretched the more, because the library's own shift detunes notes below
 * 250 Hz by up to 70 cents. Sound without high frequencies is stretched at a lower rate, and two equal channels as one.
 */
export async function warp(source: Float32Array[], map: TimeMap, options: WarpOptions): Promise<Float32Array[]> {
  const { channels, origin } = playedPart(source, map, options);
  const distinct = haveEqualSamples(channels) ? channels.slice(0, 1) : channels;
  const down = await spareRate(distinct, options.sampleRate);
  const low = down === 1 ? distinct : distinct.map((samples) => divideRate(samples, down));
  const moved = { output: map.output, source: map.source.map((at) => at - origin) };
  const warped = await warpAtRate(low, moved, options, down);
  return distinct.length === 1 ? [warped[0]!, warped[0]!.slice()] : warped;
}

/** The part of `source` that is played, with a margin, and the second of the source at which it begins. */
function playedPart(
  source: readonly Float32Array[],
  map: TimeMap,
  { sampleRate, frames }: WarpOptions,
): { channels: Float32Array[]; origin: number } {
  const read = sourceReader(map);
  const from = Math.max(0, Math.floor((read(0) - MARGIN_SEC) * sampleRate));
  const to = Math.max(from, Math.ceil((read(frames / sampleRate) + MARGIN_SEC) * sampleRate));
  return { channels: source.map((samples) => samples.subarray(from, to)), origin: from / sampleRate };
}

/** Warps sound of rate `sampleRate / down` to `sampleRate`. */
async function warpAtRate(
  source: Float32Array[],
  map: TimeMap,
  { sampleRate, frames, semitones, keepFormants, keep }: WarpOptions,
  down: number,
): Promise<Float32Array[]> {
  const { numerator, denominator } = nearestFraction(2 ** (semitones / 12));
  const ratio = numerator / denominator;
  const { block, interval } = BLOCKS[keep === 'notes' && ratio !== 1 ? 'shiftedNotes' : keep];
  const rate = sampleRate / down;
  const settings = {
    sampleRate: rate,
    block: Math.round(block * ratio * rate),
    interval: Math.round(interval * ratio * rate),
    mapStep: Math.round(MAP_STEP / down),
    formantSemitones: keepFormants ? -semitones : 0,
  };
  if (ratio === 1 && down === 1) return stretch(source, map, { ...settings, frames });
  const longer = { output: map.output.map((at) => at * ratio), source: map.source };
  const stretched = await stretch(source, longer, {
    ...settings,
    frames: Math.ceil((frames * ratio) / down) + RESAMPLING_MARGIN,
  });
  const shape = down === 1 ? undefined : SPARE_RANGE;
  return stretched.map((samples) =>
    new Resampler(numerator, denominator * down, shape).push(samples).subarray(0, frames),
  );
}

/** `block`, `interval` and the step between two reads of the map in samples. `formantSemitones` moves the formants without the pitch. */
type StretchSettings = {
  sampleRate: number;
  frames: number;
  block: number;
  interval: number;
  mapStep: number;
  formantSemitones: number;
};

/** Stretches one or two channels without a shift of pitch. */
async function stretch(source: Float32Array[], map: TimeMap, settings: StretchSettings): Promise<Float32Array[]> {
  const { module, memory } = await (loading ??= loadModule());
  // The library keeps phases and random state between calls. Restoring its initial memory clears both.
  module.HEAP8.fill(0, memory.length);
  module.HEAP8.set(memory);
  const { sampleRate, frames, block, interval, mapStep, formantSemitones } = settings;
  const channels = source.length;
  module._configure(channels, block, interval, 0);
  module._reset();
  module._setTransposeSemitones(0, 0);
  module._setFormantSemitones(formantSemitones, false);
  module._setFormantBase(0);

  const inputLatency = module._inputLatency();
  const outputLatency = module._outputLatency();
  const capacity = 2 * (inputLatency + outputLatency) + mapStep * 8;
  const pointer = module._setBuffers(channels, capacity);
  const input = (c: number): Float32Array =>
    new Float32Array(module.HEAP8.buffer, pointer + 4 * capacity * c, capacity);
  const output = (c: number): Float32Array => input(c + channels);

  /** Copies source samples [from, to) to the input buffers, with silence outside of the source. */
  const feed = (from: number, to: number): void => {
    for (let c = 0; c < channels; c++) {
      const samples = source[c]!;
      const buffer = input(c);
      const first = Math.min(Math.max(from, 0), samples.length);
      const last = Math.min(Math.max(to, first), samples.length);
      buffer.fill(0, 0, to - from);
      if (last > first && first >= from) buffer.set(samples.subarray(first, last), first - from);
    }
  };

  const read = sourceReader(map);
  const preroll = Math.round(PREROLL_SEC * sampleRate);
  /** End of the input that output sample `n` of the result needs, as an index in the source. */
  const feedEnd = (n: number): number => Math.round(read(n / sampleRate) * sampleRate) + inputLatency;

  const result = Array.from({ length: channels }, () => new Float32Array(frames));
  let fed = feedEnd(-preroll);
  const seekLength = inputLatency + outputLatency;
  feed(fed - seekLength, fed);
  module._seek(seekLength, (feedEnd(0) - fed) / preroll);

  for (let n = -preroll; n < frames + outputLatency; n += mapStep) {
    const next = Math.max(fed, feedEnd(n + mapStep));
    const length = Math.min(next - fed, capacity);
    // A jump beyond the buffer skips input. It would need more than eight times the speed, which music does not have.
    feed(next - length, next);
    fed = next;
    module._process(length, mapStep);
    const at = n - outputLatency;
    const from = Math.max(0, -at);
    const to = Math.min(mapStep, frames - at);
    if (to <= from) continue;
    for (let c = 0; c < channels; c++) result[c]!.set(output(c).subarray(from, to), at + from);
  }
  return result;
}
