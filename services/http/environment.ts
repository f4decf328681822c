/** Environment variables that every built-in service reads. */
import { z } from 'zod';

/** Reads an empty variable as one that is not set. */
export const emptyIsUnset = (value: unknown): unknown => (value === '' ? undefined : value);

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });

export const ServiceEnvironment = z.object({
  HOST: z
    .preprocess(emptyIsUnset, z.string().default('127.0.0.1'))
    .describe('Address to listen on. Another address than loopback requires SERVICES_TOKEN.'),
  PORT: z
    .preprocess(
      emptyIsUnset,
      z.coerce.number({ error: 'is not a port number (0 to 65535)' }).int().min(0).max(65_535).optional(),
    )
    .describe(
      'Port to listen on. Default: analysis 8000, processing 8001, scoring 8002, orchestrator 8003, separation 8004.',
    ),
  SERVICES_TOKEN: z
    .preprocess(emptyIsUnset, z.string().min(24, { error: 'must have at least 24 characters' }).optional())
    .describe(
      'Token that every request must carry as `Authorization: Bearer …`, except those for the health of the service.',
    ),
  SUPABASE_URL: z
    .preprocess(emptyIsUnset, httpUrl.optional())
    .describe(
      'URL of the Supabase project: files are fetched from and uploaded to its origin only. Without it, a service on loopback contacts loopback addresses only.',
    ),
  SERVICES_ALLOWED_ORIGINS: z
    .preprocess(
      (value) =>
        typeof value === 'string'
          ? value
              .split(',')
              .map((entry) => entry.trim())
              .filter((entry) => entry !== '')
          : value,
      z.array(httpUrl.transform((url) => new URL(url).origin)).optional(),
    )
    .describe(
      'Further origins that services may contact, separated by commas, for example `https://files.example.com`. Their addresses may be private.',
    ),
});
