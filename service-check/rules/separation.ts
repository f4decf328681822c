/** Rules of the separation service. */
import { STEMS } from '../../schema/constants.ts';
import { expect, NotChecked } from '../rule.ts';
import type { Probe, Rule } from '../rule.ts';
import { ContractStems, mismatch } from '../schemas.ts';
import { COMMON_RULES, fileRules, JSON_RULES } from './common.ts';
import type { MakeBody } from './common.ts';

/** An uploaded stem is longer than this, in bytes. */
const MIN_STEM_BYTES = 10_000;

/** Job and song: services insert the id into paths as it is. */
const separationId = ({ jobId }: Probe): string => `${jobId}/check-song`;
const stemPath = (probe: Probe, stem: string): string => `stems/${separationId(probe)}/${stem}.wav`;

const bodyFor = (probe: Probe, file: string): Record<string, unknown> => ({
  audio_url: probe.files.urlOf(file),
  job_id: separationId(probe),
  uploads: Object.fromEntries(
    STEMS.map((stem) => [stem, { path: stemPath(probe, stem), url: probe.files.uploadUrl(stemPath(probe, stem)) }]),
  ),
  unknown_member: true,
});

/** The valid request. */
export const separationBody: MakeBody = (probe) => bodyFor(probe, 'song.wav');

async function stemsOf({ work }: Probe): Promise<string[]> {
  const answer = ContractStems.safeParse((await work()).json).data;
  if (answer === undefined) throw new NotChecked('the answer is not complete');
  return STEMS.map((stem) => String(answer.stems[stem]));
}

export const SEPARATION_RULES: readonly Rule[] = [
  ...COMMON_RULES,
  ...JSON_RULES,
  {
    name: 'returns-four-stems',
    text: `The answer has \`success: true\`, \`job_id\`, and \`stems\` with the paths of ${STEMS.join(', ')}.`,
    async check({ work }) {
      const fault = mismatch(ContractStems, (await work()).json);
      expect(fault === undefined, fault ?? '');
    },
  },
  {
    name: 'echoes-job-id',
    text: 'The answer has the `job_id` of the request, also if that contains a slash.',
    async check(probe) {
      const { job_id: id } = ((await probe.work()).json ?? {}) as Record<string, unknown>;
      expect(id === separationId(probe), `it is ${JSON.stringify(id)}`);
    },
  },
  {
    name: 'paths-below-job',
    text: 'The paths of the stems begin with `stems/<job_id>/`, and differ.',
    async check(probe) {
      const paths = await stemsOf(probe);
      const outside = paths.filter((path) => !path.startsWith(`stems/${separationId(probe)}/`));
      expect(outside.length === 0, `outside: ${outside.join(', ')}`);
      expect(new Set(paths).size === paths.length, `they are ${paths.join(', ')}`);
    },
  },
  {
    name: 'uploads-stems',
    text: 'A service without a key of its own sends each stem with PUT to the URL that it was given.',
    async check(probe) {
      const paths = await stemsOf(probe);
      const sizes = paths.map((path) => probe.files.uploaded(path)?.length ?? 0);
      if (sizes.every((size) => size === 0))
        throw new NotChecked('the service writes to Storage with a key of its own');
      const missing = paths.filter((_path, n) => (sizes[n] ?? 0) < MIN_STEM_BYTES);
      expect(missing.length === 0, `no sound arrived for ${missing.join(', ')}`);
    },
  },
  ...fileRules((probe) => bodyFor(probe, 'missing.wav')),
];
