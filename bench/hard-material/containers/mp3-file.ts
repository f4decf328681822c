/** Makes MP3 files at any rate of MPEG 1, 2 and 2.5. */
import { createMp3Encoder } from 'wasm-media-encoders';

type Rate = 8000 | 11025 | 12000 | 16000 | 22050 | 24000 | 32000 | 44100 | 48000;

const ENCODER_DELAY = 576;

/** Encodes MP3 without a header frame: it declares no length. */
export async function encodeMp3At(channels: readonly Float32Array[], rate: number, kbps: number): Promise<Uint8Array> {
  const encoder = await createMp3Encoder();
  encoder.configure({
    channels: channels.length === 1 ? 1 : 2,
    sampleRate: rate,
    outputSampleRate: rate as Rate,
    bitrate: kbps as 32,
  });
  return new Uint8Array(Buffer.concat([encoder.encode([...channels]).slice(), encoder.finalize().slice()]));
}

/**
 * Puts a frame before a file of MPEG 2 or 2.5, layer III, that declares its frames and the samples that the encoder added.
 * @param frameSamples samples of a frame
 */
export function withInfoFrame(file: Uint8Array, samples: number, frameSamples = 576): Uint8Array {
  const header = Buffer.from(file.subarray(0, 4));
  header[2]! &= ~2;
  const lengths = frameLengths(file);
  const frame = Buffer.alloc(lengths[0]!);
  header.copy(frame);
  const tag = 4 + (header[3]! >> 6 === 3 ? 9 : 17);
  frame.write('Info', tag, 'latin1');
  frame.writeUInt32BE(1, tag + 4);
  frame.writeUInt32BE(lengths.length, tag + 8);
  const lame = tag + 12;
  frame.write('LAME3.100', lame, 'latin1');
  const padding = lengths.length * frameSamples - ENCODER_DELAY - samples;
  frame.writeUIntBE(ENCODER_DELAY * 4096 + padding, lame + 21, 3);
  return new Uint8Array(Buffer.concat([frame, file]));
}

/** Lengths of the frames of a file of constant bit rate, by the marks at their starts. */
function frameLengths(file: Uint8Array): number[] {
  const starts: number[] = [];
  for (let at = 0; at + 4 <= file.length;) {
    starts.push(at);
    let next = at + 24;
    while (
      next < file.length &&
      !(file[next] === file[0] && file[next + 1] === file[1] && (file[next + 2]! & 0xfd) === (file[2]! & 0xfd))
    )
      next++;
    at = next;
  }
  return starts.map((start, i) => (starts[i + 1] ?? file.length) - start);
}
