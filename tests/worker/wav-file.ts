/** Small WAV files for tests. */

const SAMPLE_RATE = 8_000;

/**
 * Returns an 8-bit mono WAV file of a tone, 8 kB per second.
 * @param seed files of different seeds differ in their bytes
 */
export function wavFile(seconds: number, seed = 0): Buffer {
  const samples = Math.round(seconds * SAMPLE_RATE);
  const file = Buffer.alloc(44 + samples);
  file.write('RIFF', 0);
  file.writeUInt32LE(36 + samples, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(SAMPLE_RATE, 24);
  file.writeUInt32LE(SAMPLE_RATE, 28);
  file.writeUInt16LE(1, 32);
  file.writeUInt16LE(8, 34);
  file.write('data', 36);
  file.writeUInt32LE(samples, 40);
  for (let i = 0; i < samples; i++) file[44 + i] = 128 + Math.round(60 * Math.sin((i * (220 + seed)) / SAMPLE_RATE));
  return file;
}
