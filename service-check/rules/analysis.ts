/** Rules of the analysis service. */
import { parseKey } from '../../music/theory/keys.ts';
import { describe } from '../request.ts';
import { expect } from '../rule.ts';
import type { Probe, Rule } from '../rule.ts';
import { ContractAnalysis, ContractDetail, mismatch } from '../schemas.ts';
import { TEST_BPM } from '../test-song.ts';
import { COMMON_RULES, fileRules, JSON_RULES } from './common.ts';
import type { MakeBody } from './common.ts';

const SONG_ID = 'check-song';
const MFCC_ROWS = 13;
/** Analyses may find half or twice the tempo. */
const TEMPI = [TEST_BPM / 2, TEST_BPM, TEST_BPM * 2];
const TEMPO_TOLERANCE = 0.06;

/** The valid request. */
export const analysisBody: MakeBody = ({ files }) => ({
  song_id: SONG_ID,
  file_url: files.urlOf('song.wav'),
  unknown_member: true,
});

const analysisOf = async ({ work }: Probe): Promise<Record<string, Record<string, unknown>>> => {
  const { analysis } = ((await work()).json ?? {}) as { analysis?: Record<string, Record<string, unknown>> };
  return analysis ?? {};
};

export const ANALYSIS_RULES: readonly Rule[] = [
  ...COMMON_RULES,
  ...JSON_RULES,
  {
    name: 'echoes-song-id',
    text: 'The answer has `success: true`, and the `song_id` of the request as `songId`.',
    async check({ work }) {
      const { success, songId } = ((await work()).json ?? {}) as Record<string, unknown>;
      expect(success === true && songId === SONG_ID, `they are ${JSON.stringify({ success, songId })}`);
    },
  },
  {
    name: 'analysis-is-complete',
    text: 'The analysis has the members of the contract, of the right types and in their ranges.',
    async check(probe) {
      const fault = mismatch(ContractAnalysis, await analysisOf(probe));
      expect(fault === undefined, fault ?? '');
    },
  },
  {
    name: 'key-is-readable',
    text: 'The key is a pitch and a mode, for example `C# minor` or `Bb major`, or `N/A`.',
    async check(probe) {
      const key = (await analysisOf(probe))['harmonic']?.['key'];
      expect(typeof key === 'string' && (key === 'N/A' || parseKey(key) != null), `it is ${JSON.stringify(key)}`);
    },
  },
  {
    name: 'mfccs-have-13-rows',
    text: '`spectral.mfccs` has 13 rows of equal length.',
    async check(probe) {
      const rows = (await analysisOf(probe))['spectral']?.['mfccs'];
      const lengths = Array.isArray(rows) ? rows.map((row) => (Array.isArray(row) ? row.length : -1)) : [];
      expect(lengths.length === MFCC_ROWS && new Set(lengths).size === 1, `it has ${lengths.length} rows`);
    },
  },
  {
    name: 'finds-the-tempo',
    text: `The tempo of a song at ${TEST_BPM} bpm with a clear beat is found, or its half or double.`,
    async check(probe) {
      const bpm = Number((await analysisOf(probe))['rhythmic']?.['bpm']);
      const isNear = TEMPI.some((tempo) => Math.abs(bpm / tempo - 1) < TEMPO_TOLERANCE);
      expect(isNear, `it is ${bpm}`);
    },
  },
  {
    name: 'accepts-audio-data',
    text: 'The file may be sent in base64 as `audio_data` in place of `file_url`.',
    async check({ post, files }) {
      const reply = await post('as-data', { song_id: SONG_ID, audio_data: files.song.toString('base64') });
      expect(reply.status === 200, `the answer is ${describe(reply)}`);
    },
  },
  {
    name: 'requires-a-source',
    text: 'A request without `file_url` and `audio_data` is an error with {"detail": "…"}.',
    async check({ post }) {
      const reply = await post('no-source', { song_id: SONG_ID });
      expect(reply.status >= 400, `the answer is ${describe(reply)}`);
      expect(mismatch(ContractDetail, reply.json) === undefined, `the body is ${describe(reply)}`);
    },
  },
  ...fileRules(({ files }) => ({ song_id: SONG_ID, file_url: files.urlOf('missing.wav') })),
];
