/** Decoding and encoding by the browser. */
import { decodeChannels, SAMPLE_RATE } from './decode.ts';
import { encode } from './encode.ts';
import type { BrowserAudio } from './prepare-upload.ts';

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
