/** WAV files whose samples are a text, so that a file shows which claim wrote it. */

/** What a rendered file contains after its header. */
export interface Signature {
  job: string;
  epoch: number;
  claim: string;
  title: string;
}

/** Returns a WAV file whose samples are a text, of at least `bytes` samples. */
export function wavOfText(text: string, bytes = 2_000): Buffer<ArrayBuffer> {
  const body = Buffer.alloc(Math.max(bytes, text.length), ' ');
  body.write(text);
  const wav = Buffer.alloc(44 + body.length);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + body.length, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  // One byte per sample at 50 Hz: 2,000 bytes last 40 s.
  wav.writeUInt32LE(50, 24);
  wav.writeUInt32LE(50, 28);
  wav.writeUInt16LE(1, 32);
  wav.writeUInt16LE(8, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(body.length, 40);
  body.copy(wav, 44);
  return wav;
}

/** Returns the text of a file from `wavOfText`. */
export function textOfWav(wav: Buffer): string {
  return wav.subarray(44).toString('utf8').trim();
}
