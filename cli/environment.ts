/** Environment variables of the command line. */
import { z } from 'zod';

const text = (description: string): z.ZodOptional<z.ZodString> => z.string().optional().describe(description);

export const CliEnvironment = z.object({
  DATABASE_URL: text('Database of the operator commands, as a postgres:// URL. Without it: the running local stack.'),
  SUPABASE_URL: text('URL of a Supabase project. Without it: the running local stack, or a new one.'),
  SUPABASE_PUBLISHABLE_KEY: text('Publishable key of that project.'),
  SUPABASE_ANON_KEY: text('Anon key of that project, if it has no publishable key.'),
  SUPABASE_SECRET_KEY: text('Secret key of that project; `mashup worker` requires it with `DATABASE_URL`.'),
  SUPABASE_SERVICE_ROLE_KEY: text('The service role key of that project, if it has no secret key.'),
  HOST: text('Address on which `mashup services` listens. Default: `127.0.0.1`.'),
  SERVICES_TOKEN: text('Token of the audio services, for `mashup doctor` and `mashup check-service`.'),
  MODELS_DIR: text('Folder of installed separation models. Default: `models` in the data directory.'),
  SEPARATION_MODEL: text('Separation model of the services that a command starts: see the separation service.'),
  MASHUP_STUDIO_URL: text(
    'Address of the studio, for `mashup open` and `mashup share`. Default: that of the local stack.',
  ),
  MASHUP_EMAIL: text('Account of `mashup make` and the other commands on mashups. Without it: an anonymous user.'),
  MASHUP_PASSWORD: text('Password of that account.'),
  MASHUP_DATA_DIR: text(
    'Data directory of the local stack. Default: `.mashup` in the checkout, or in the project that installed the package.',
  ),
  MASHUP_POSTGRES_BIN: text(
    'Directory with `initdb` and `postgres` (15 or newer) for the local stack and the tests, in place of the embedded ones.',
  ),
  MASHUP_DEBUG: text('`1`: print the stack trace and the cause of an error.'),
});

/** Value of a variable; undefined if it is unset or empty. */
export function setting(name: keyof typeof CliEnvironment.shape): string | undefined {
  return process.env[name] || undefined;
}
