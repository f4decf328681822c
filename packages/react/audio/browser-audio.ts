/** Decoding and encoding by the browser. */
import { encode } from './encode.ts';
import type { BrowserAudio } from './prepare-upload.ts';

/** Sample rate of all decoded audio, Hz; the browser resamples any other rate. */
export const SAMPLE_RATE = 44_100;

/** Decodes a file to channels at {@link SAMPLE_RATE}. */
export async function decodeChannels(bytes: ArrayBuffer): Promise<Float32Array[]> {
  const audio = await new OfflineAudioContext(2, 1, SAMPLE_RATE).decodeAudioData(bytes);
  return Array.from({ length: audio.numberOfChannels }, (_, index) => audio.getChannelData(index));
}

/** Reads the length of a file from its metadata. */
function readDuration(file: Blob): Promise<number | undefined> {
  const url = URL.createObjectURL(file);
  const element = new Audio();
  return new Promise<number | undefined>((resolve) => {
    element.onloadedmetadata = () => resolve(Number.isFinite(element.duration) ? element.duration : undefined);
    element.onerror = () => resolve(undefined);
    element.preload = 'metadata';
    element.src = url;
  }).finally(() => {
    element.removeAttribute('src');
    URL.revokeObjectURL(url);
  });
}

export const browserAudio: BrowserAudio = {
  duration: readDuration,
  decode: decodeChannels,
  encode: (channels, format) => encode({ channels, sampleRate: SAMPLE_RATE, format, title: '' }),
};
