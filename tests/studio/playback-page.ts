/** The page of the playback tests: a player, parts that come when the test says so, and a recorder of what is heard. */
import { Playback } from '../../packages/react/audio/playback/playback.ts';
import { StemDeck } from '../../packages/react/audio/stems/stem-deck.ts';
import { StemMix } from '../../packages/react/audio/stems/stem-mix.ts';
import type { PlayableStems } from '../../packages/react/audio/stems/stem-mix.ts';

const RECORDER = `
registerProcessor('recorder', class extends AudioWorkletProcessor {
  process([input]) {
    const left = input[0] ?? new Float32Array(128);
    this.port.postMessage([left.slice(), (input[1] ?? left).slice()]);
    return true;
  }
});`;

/** What is recorded: chunks of left and right. */
const chunks: [Float32Array, Float32Array][] = [];

async function recorderIn(context: BaseAudioContext): Promise<AudioWorkletNode> {
  const url = URL.createObjectURL(new Blob([RECORDER], { type: 'text/javascript' }));
  await context.audioWorklet.addModule(url);
  const node = new AudioWorkletNode(context, 'recorder', { outputChannelCount: [2], channelCount: 2 });
  node.port.onmessage = ({ data }: MessageEvent<[Float32Array, Float32Array]>) => chunks.push(data);
  return node;
}

/** Records the mix of all media elements, also of those that come later, at their volumes. */
async function recordElements(): Promise<void> {
  const context = new AudioContext({ sampleRate: 44_100 });
  const recorder = await recorderIn(context);
  recorder.connect(context.destination);
  const known = new Set<HTMLAudioElement>();
  const connect = (): void => {
    for (const element of document.querySelectorAll('audio')) {
      if (known.has(element)) continue;
      known.add(element);
      context.createMediaElementSource(element).connect(recorder);
    }
  };
  connect();
  new MutationObserver(connect).observe(document.body, { childList: true });
}

/** Recorders of audio contexts. */
const recorders: Promise<unknown>[] = [];

/** Records what audio contexts play that are opened from now on. */
function recordContexts(): void {
  const { connect } = AudioNode.prototype as { connect: (this: AudioNode, target: AudioNode) => AudioNode };
  AudioNode.prototype.connect = function (this: AudioNode, target: AudioNode) {
    if (this instanceof GainNode && target === this.context.destination) {
      recorders.push(recorderIn(this.context).then((recorder) => connect.call(this, recorder)));
    }
    return connect.call(this, target);
  } as AudioNode['connect'];
}

/** Resolves when all contexts are recorded. */
const areContextsRecorded = (): Promise<unknown> => Promise.all(recorders);

const isSilent = (chunk: Float32Array): boolean => chunk.every((value) => value === 0);

/** Whether a sound was recorded, and then silence for at least `frames` frames. */
function hasEnded(frames: number): boolean {
  const last = chunks.findLastIndex(([left, right]) => !isSilent(left) || !isSilent(right));
  return last >= 0 && (chunks.length - 1 - last) * 128 >= frames;
}

/** Whether a sound was recorded. */
const hasSound = (): boolean => chunks.some(([left]) => !isSilent(left));

/** The recording from its first sound on, as 16-bit integers: left and right in turns. */
function recording(): number[] {
  const samples = chunks.flatMap(([left, right]) => [...left].flatMap((value, i) => [value, right[i] ?? 0]));
  const first = samples.findIndex((value) => value !== 0);
  return samples.slice(first - (first % 2)).map((value) => Math.round(value * 32_768));
}

/** Levels (RMS, full scale 1) of sines of these frequencies among the last sound that was recorded, left. */
function levelsOf(frequencies: number[], frames = 4096): number[] {
  const sound = chunks.slice(-Math.ceil(frames / 128)).flatMap(([left]) => [...left]);
  return frequencies.map((frequency) => {
    let [real, imaginary] = [0, 0];
    for (const [i, value] of sound.entries()) {
      // A Hann window keeps the sines apart.
      const weighted = value * (1 - Math.cos((2 * Math.PI * i) / sound.length));
      real += weighted * Math.cos((2 * Math.PI * frequency * i) / 44_100);
      imaginary += weighted * Math.sin((2 * Math.PI * frequency * i) / 44_100);
    }
    return (Math.SQRT2 * Math.hypot(real, imaginary)) / sound.length;
  });
}

const playback = new Playback();
playback.attach(document.body);

/** Names of the files that were requested. */
const requests: string[] = [];

const load = async ({ path }: { path: string }, index: number): Promise<ArrayBuffer> => {
  requests.push(`${path}/${index}`);
  const response = await fetch(`/${path}/${index}.flac`);
  if (!response.ok) throw new DOMException('The part is gone.', 'NotFoundError');
  return response.arrayBuffer();
};

/** Plays stems in the place of the file. Returns their mix. */
function playStems(stems: PlayableStems, onFailed?: (error: unknown) => void): StemMix {
  const mix = new StemMix(stems);
  playback.setStems((events) => new StemDeck(mix, load, events), onFailed);
  return mix;
}

const page = {
  playback,
  playStems,
  load,
  requests,
  recordElements,
  recordContexts,
  areContextsRecorded,
  hasEnded,
  hasSound,
  levelsOf,
  recording,
};
export type PlaybackPage = typeof page;
Object.assign(globalThis, { page });
