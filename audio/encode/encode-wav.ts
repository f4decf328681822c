/** Writes 16-bit PCM WAV files. Runs in Node and in browsers. */

/** Size of the header that `wav16Header` returns. */
export const WAV16_HEADER_BYTES = 44;

const FORMAT_PCM = 1;

/** The header of a 16-bit PCM WAV file of `frames` frames: the `WAV16_HEADER_BYTES` bytes before its samples. */
export function wav16Header(frames: number, channels: number, sampleRate: number): Uint8Array {
  const dataLength = frames * channels * 2;
  const header = new Uint8Array(WAV16_HEADER_BYTES);
  const view = new DataView(header.buffer);
  const text = (at: number, value: string): void => {
    for (let i = 0; i < value.length; i++) header[at + i] = value.charCodeAt(i);
  };
  text(0, 'RIFF');
  view.setUint32(4, 36 + dataLength, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, FORMAT_PCM, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, dataLength, true);
  return header;
}

/** Writes `channels` (equally long, full scale 1; values beyond are clipped) as interleaved 16-bit samples to `target` from frame `at`. */
export function writeWav16Frames(target: Int16Array, at: number, channels: readonly Float32Array[]): void {
  channels.forEach((samples, channel) => {
    let index = at * channels.length + channel;
    for (let i = 0; i < samples.length; i++, index += channels.length) {
      const value = Math.round(samples[i]! * 32768);
      target[index] = value > 32767 ? 32767 : value < -32768 ? -32768 : value;
    }
  });
}

/** Rounds samples in place to those that a 16-bit file holds. */
export function roundTo16Bits(samples: Float32Array): void {
  for (let i = 0; i < samples.length; i++) {
    const value = Math.round(samples[i]! * 32768);
    samples[i] = (value > 32767 ? 32767 : value < -32768 ? -32768 : value) / 32768;
  }
}

/** Encodes `channels` (equally long, full scale 1; values beyond are clipped) as a 16-bit PCM WAV file. */
export function encodeWav16(channels: readonly Float32Array[], sampleRate: number): Uint8Array<ArrayBuffer> {
  const frames = channels[0]?.length ?? 0;
  const file = new Uint8Array(WAV16_HEADER_BYTES + frames * channels.length * 2);
  file.set(wav16Header(frames, channels.length, sampleRate));
  writeWav16Frames(new Int16Array(file.buffer, WAV16_HEADER_BYTES), 0, channels);
  return file;
}
