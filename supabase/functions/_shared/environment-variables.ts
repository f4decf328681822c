/** Environment variables of the edge functions. The platform sets all of them except `SB_JWT_ISSUER`, `WISHES_READ_BY` and `CLIENT_ADDRESS_HEADER`. */
import { z } from 'zod';

const text = (description: string): z.ZodOptional<z.ZodString> => z.string().optional().describe(description);

export const FunctionEnvironment = z.object({
  SUPABASE_URL: z.string().describe('URL of the project.'),
  SUPABASE_PUBLISHABLE_KEYS: text('Publishable keys as a JSON object: names to keys. The key `default` is used.'),
  SUPABASE_PUBLISHABLE_KEY: text('One publishable key.'),
  SUPABASE_ANON_KEY: text('The anon JWT of projects with legacy keys. One of the three keys is required.'),
  SUPABASE_SECRET_KEYS: text('Secret keys as a JSON object: names to keys.'),
  SUPABASE_SECRET_KEY: text('One secret key.'),
  SUPABASE_SERVICE_ROLE_KEY: text(
    'The service-role JWT of projects with legacy keys. `stem-separation` accepts these keys from a renderer; `delete-account` uses them to delete a user, and the functions of public links to read what a link shows.',
  ),
  WISHES_READ_BY: z
    .enum(['rules', 'planner'])
    .default('rules')
    .describe(
      '`rules`: wishes and feedback of which the rules understand nothing are refused at once (422). `planner`: where a language model plans, which understands more, it decides.',
    ),
  CLIENT_ADDRESS_HEADER: text(
    'Header with the network address of the client, for the limits of public links; of a list the last entry is read. It must be one that a proxy in front of the functions overwrites or appends to. Default: `cf-connecting-ip`, as on hosted Supabase. Without the header there is no limit by address; the others hold.',
  ),
  SB_JWT_ISSUER: text(
    'Issuer that tokens must name. Default: `SUPABASE_URL/auth/v1`; not checked if `SUPABASE_URL` is plain HTTP to a host other than loopback.',
  ),
});
