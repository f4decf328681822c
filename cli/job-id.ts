/** Ids of jobs in commands: whole, their beginning, or `last`. */
import { CliError, EXIT_USAGE } from './errors.ts';

/** What the help of a command says of its argument. */
export const ID_HELP = "the job's id, the beginning of it, or `last`";
/** Characters that the beginning of an id has at least. */
const SHORTEST = 4;
const HEX_DIGITS = 32;
/** Jobs that the refusal of an ambiguous id lists. */
const LISTED_MATCHES = 5;
/** Rows that a query for a range of ids has to return, so that `pickJob` can tell. */
export const MATCHES_TO_READ = LISTED_MATCHES + 1;

/** Ids from `from` to `to`, both included; or the newest job. */
export type JobReference = 'last' | { from: string; to: string };

/** A job as far as a choice needs it. */
interface Match {
  id: string;
  stage: string;
}

/**
 * Reads an id, or its beginning. A range of ids needs no comparison of texts, so that the database uses its index.
 * @throws CliError `bad_job_id`
 */
export function parseJobId(text: string): JobReference {
  if (text.toLowerCase() === 'last') return 'last';
  const digits = text.replaceAll('-', '').toLowerCase();
  if (!/^[0-9a-f-]+$/i.test(text) || digits.length < SHORTEST || digits.length > HEX_DIGITS) {
    throw new CliError(
      'bad_job_id',
      `"${text}" is not a job id.`,
      `Give the id, at least its first ${SHORTEST} characters, or \`last\`; \`mashup jobs\` lists ids.`,
      EXIT_USAGE,
    );
  }
  return { from: toUuid(digits.padEnd(HEX_DIGITS, '0')), to: toUuid(digits.padEnd(HEX_DIGITS, 'f')) };
}

const toUuid = (digits: string): string => digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

/**
 * Returns the one job among those that match; undefined if none does.
 * @param matches the newest matches, at most `MATCHES_TO_READ`
 * @throws CliError `ambiguous_job_id` with the newest matches
 */
export function pickJob<Job extends Match>(text: string, matches: readonly Job[]): Job | undefined {
  if (matches.length <= 1) return matches[0];
  const listed = matches.slice(0, LISTED_MATCHES).map(({ id, stage }) => `${id} (${stage})`);
  const [count, more] = matches.length > LISTED_MATCHES ? [`More than ${LISTED_MATCHES}`, ', …'] : [matches.length, ''];
  throw new CliError(
    'ambiguous_job_id',
    `${count} job ids start with ${text}: ${listed.join(', ')}${more}.`,
    'Give more characters of the id.',
    EXIT_USAGE,
  );
}
