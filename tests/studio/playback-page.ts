/** The page of the playback tests: a player, parts that come when the test says so, and a recorder of what is heard. */
import { Playback } from '../../packages/react/audio/playback/playback.ts';

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

const page = {
  playback,
  load,
  requests,
  recordElements,
  recordContexts,
  areContextsRecorded,
  hasEnded,
  hasSound,
  recording,
};
export type PlaybackPage = typeof page;
Object.assign(globalThis, { page });
