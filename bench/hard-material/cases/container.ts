/** Cases of files that ffmpeg reads and that were refused, or read wrong. */
import { readFile } from 'node:fs/promises';
import { readMp4Sound } from '../../../audio/decode/mp4-boxes.ts';
import { caseOf } from '../containers/container-file.ts';
import { withLongText } from '../containers/mp4-file.ts';
import { OGG_FILES } from '../containers/ogg-files.ts';
import { PCM_FILES } from '../containers/pcm-list.ts';
import { STREAM_FILES } from '../containers/stream-files.ts';
import type { HardCase } from '../hard-case.ts';

const M4A = new URL('../../../tests/audio-in/fixtures/band.m4a', import.meta.url);

/** Decoding m4a needs ffmpeg, so the declared length is measured: the file was refused because of it. */
const M4A_CASE: HardCase = {
  group: 'container',
  name: 'm4a of six seconds with a text of thirty',
  truth: 'length of the sound: 6.0 s',
  before: 'length of the sound: 30.0 s',
  measure: async () => {
    const { seconds } = readMp4Sound(withLongText(new Uint8Array(await readFile(M4A)), 30));
    return { value: `length of the sound: ${seconds?.toFixed(1)} s`, right: Math.abs((seconds ?? 0) - 6) < 0.05 };
  },
};

export const CONTAINER_CASES: readonly HardCase[] = [
  ...[...OGG_FILES, ...PCM_FILES, ...STREAM_FILES].map(caseOf),
  M4A_CASE,
];
