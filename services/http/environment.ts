/** Environment variables that every built-in service reads. */
import { z } from 'zod';

const emptyIsUnset = (value: unknown): unknown => (value === '' ? undefined : value);

export const ServiceEnvironment = z.object({
  HOST: z.preprocess(emptyIsUnset, z.string().default('127.0.0.1')).describe('Address to listen on.'),
  PORT: z
    .preprocess(emptyIsUnset, z.coerce.number().int().min(0).max(65_535).optional())
    .describe(
      'Port to listen on. Default: analysis 8000, processing 8001, scoring 8002, orchestrator 8003, separation 8004.',
    ),
});
