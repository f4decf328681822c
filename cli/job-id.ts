/** Ids of jobs in commands. */
import { CliError, EXIT_USAGE } from './errors.ts';

/** Checks that a text can be the id of a job, or at least its first eight characters. @throws CliError `bad_job_id` */
export function checkJobId(text: string): void {
  if (/^[0-9a-f-]{8,36}$/i.test(text)) return;
  throw new CliError(
    'bad_job_id',
    `"${text}" is not a job id.`,
    'Give the id, or at least its first eight characters; `mashup jobs` lists them.',
    EXIT_USAGE,
  );
}
