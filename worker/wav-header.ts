/** What a WAV file says of itself in its first bytes. */

/** Enough for the header of any WAV that services write, with room for metadata before the samples. */
export const WAV_HEADER_BYTES = 4_096;

export interface WavHeader {
  sampleRate: number;
  channels: number;
  /** Bytes of samples, as declared or, where the declaration is unusable, as the file's size allows. */
  dataBytes: number;
  durationSec: number;
}

/**
 * Reads the header of a RIFF/WAVE file.
 * @param head the first bytes
 * @param fileBytes size of the whole file: streams declare sizes of 0 or 4 GB
 * @returns undefined for anything that is no WAV with a format and samples within `head`
 */
export function readWavHeader(head: Uint8Array, fileBytes: number): WavHeader | undefined {
  const view = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (
    view.length < 44 ||
    !/^R(IFF|F64)$/.test(view.toString('latin1', 0, 4)) ||
    view.toString('latin1', 8, 12) !== 'WAVE'
  )
    return undefined;
  let format: { channels: number; sampleRate: number; blockAlign: number } | undefined;
  for (let offset = 12; offset + 8 <= view.length;) {
    const id = view.toString('latin1', offset, offset + 4);
    const size = view.readUInt32LE(offset + 4);
    const body = offset + 8;
    if (id === 'fmt ' && body + 16 <= view.length) {
      format = {
        channels: view.readUInt16LE(body + 2),
        sampleRate: view.readUInt32LE(body + 4),
        blockAlign: view.readUInt16LE(body + 12),
      };
    } else if (id === 'data') {
      if (!format || format.sampleRate === 0 || format.blockAlign === 0) return undefined;
      const dataBytes = Math.min(size === 0 && fileBytes > body ? Infinity : size, Math.max(0, fileBytes - body));
      return {
        sampleRate: format.sampleRate,
        channels: format.channels,
        dataBytes,
        durationSec: Math.floor(dataBytes / format.blockAlign) / format.sampleRate,
      };
    }
    offset = body + size + (size % 2);
  }
  return undefined;
}
