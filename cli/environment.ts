/** Environment variables of the command line. */
import { z } from 'zod';

const text = (description: string): z.ZodOptional<z.ZodString> => z.string().optional().describe(description);

export const CliEnvironment = z.object({
  DATABASE_URL: text('Database of the operator commands, as a postgres:// URL. Without it: the running local stack.'),
  SUPABASE_URL: text('URL of a Supabase project. Without it: the running local stack, or a new one.'),
  SUPABASE_PUBLISHABLE_KEY: text('Publishable key of that project.'),
  SUPABASE_ANON_KEY: text('Anon key of that project, if it has no publishable key.'),
  SUPABASE_SERVICE_ROLE_KEY: text('Key of the service role; `mashup worker` requires it with `DATABASE_URL`.'),
  MASHUP_EMAIL: text('Account of `mashup make`. Without it: an anonymous user.'),
  MASHUP_PASSWORD: text('Password of that account.'),
  MASHUP_DATA_DIR: text(
    'Data directory of the local stack. Default: `.mashup` in the checkout, or in the project that installed the package.',
  ),
  MASHUP_DEBUG: text('`1`: print the stack trace and the cause of an error.'),
});

/** Value of a variable; undefined if it is unset or empty. */
export function setting(name: keyof typeof CliEnvironment.shape): string | undefined {
  return process.env[name] || undefined;
}
