/** Decoding by the browser. */

/** Sample rate of all decoded audio, Hz; the browser resamples any other rate. */
export const SAMPLE_RATE = 44_100;

/** Decodes a file to channels at {@link SAMPLE_RATE}. @throws DOMException if the browser cannot decode it */
export async function decodeChannels(bytes: ArrayBuffer): Promise<Float32Array[]> {
  const audio = await new OfflineAudioContext(2, 1, SAMPLE_RATE).decodeAudioData(bytes);
  return Array.from({ length: audio.numberOfChannels }, (_, index) => audio.getChannelData(index));
}
