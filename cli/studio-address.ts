/** The address of the studio. */
import { readStack } from '../local/index.ts';
import { setting } from './environment.ts';
import { CliError, EXIT_USAGE } from './errors.ts';

/** Checks that the studio is not that of a local stack that does not run. @throws CliError `not_running` */
export function assertStudioRuns(dataDir: string | undefined): void {
  if (setting('SUPABASE_URL') !== undefined || readStack(dataDir) !== undefined) return;
  throw new CliError('not_running', 'No local stack is running here.', 'Start it with `mashup start`.');
}

/**
 * Returns the address of the studio, without a slash at its end: MASHUP_STUDIO_URL, otherwise that of the running local stack.
 * @throws CliError `no_studio`, `bad_setting`
 */
export function studioAddress(dataDir: string | undefined): string {
  const given = setting('MASHUP_STUDIO_URL');
  if (given !== undefined) {
    if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return given.replace(/[/#]+$/, '');
    throw new CliError(
      'bad_setting',
      'MASHUP_STUDIO_URL is not an http or https URL.',
      'Correct or unset it.',
      EXIT_USAGE,
    );
  }
  const stack = setting('SUPABASE_URL') === undefined ? readStack(dataDir) : undefined;
  if (stack?.studioUrl != null) return stack.studioUrl;
  throw new CliError(
    'no_studio',
    stack === undefined ? 'The address of the studio is not known.' : 'The studio is not built.',
    stack === undefined
      ? 'Set MASHUP_STUDIO_URL to it, or unset SUPABASE_URL for the local stack.'
      : 'Run `npm run studio:build`, and start the stack again.',
  );
}
