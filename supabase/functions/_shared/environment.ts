/** Environment variables that the platform sets for a function. */
import { z } from 'zod';
import { ApiError } from './api-error.ts';
import type { FunctionEnvironment } from './environment-variables.ts';

/** Name of an environment variable of the functions. */
type VariableName = keyof typeof FunctionEnvironment.shape;

/** New-style keys are one JSON object that maps names to keys. */
const KeySet = z.record(z.string(), z.string());

export interface Environment {
  url: string;
  /** The key for calls to the project's own API: the publishable key, or the anon JWT of older projects. */
  apiKey: string;
  /** The issuer that tokens signed with the project's keys must name; undefined if it cannot be known. */
  issuer: string | undefined;
  /** Keys of the service role: `sb_secret_…` keys, and the JWT of older projects. */
  serviceKeys: string[];
}

/**
 * Reads the environment, with keys of both styles.
 * @throws ApiError 500 `env_missing`
 */
export function readEnvironment(): Environment {
  const url = variable('SUPABASE_URL');
  const apiKey =
    keySet('SUPABASE_PUBLISHABLE_KEYS')[0] ?? (variable('SUPABASE_PUBLISHABLE_KEY') || variable('SUPABASE_ANON_KEY'));
  if (!url || !apiKey) {
    throw new ApiError(500, 'env_missing', 'Supabase env not configured', {
      hint: 'The operator must set SUPABASE_URL and a publishable or anon key for the functions.',
    });
  }
  const serviceKeys = [
    ...keySet('SUPABASE_SECRET_KEYS'),
    variable('SUPABASE_SECRET_KEY'),
    variable('SUPABASE_SERVICE_ROLE_KEY'),
  ].filter((key): key is string => Boolean(key));
  return { url, apiKey, issuer: issuerOf(url), serviceKeys };
}

/** Whether the rules decide if a wish is understood: there is no language model that could understand more. */
export const areWishesReadByRules = (): boolean => variable('WISHES_READ_BY') !== 'planner';

/** The header that tells the address of the client. Hosted Supabase is behind Cloudflare, which overwrites its header. */
export const clientAddressHeader = (): string => variable('CLIENT_ADDRESS_HEADER') || 'cf-connecting-ip';

/**
 * The issuer of Auth's tokens is `<project>/auth/v1`, also behind a custom domain. In a container network SUPABASE_URL is
 * plain HTTP to a host that no token names (`http://kong:8000`); there SB_JWT_ISSUER names the issuer.
 */
function issuerOf(url: string): string | undefined {
  const named = variable('SB_JWT_ISSUER');
  if (named) return named;
  return new URL(url).protocol === 'https:' || isLoopback(url) ? `${url.replace(/\/+$/, '')}/auth/v1` : undefined;
}

function isLoopback(url: string): boolean {
  return ['127.0.0.1', '[::1]', 'localhost'].includes(new URL(url).hostname);
}

/** Whether two issuers are the same. The port of a local stack may change, so loopback issuers match by path. */
export function isSameIssuer(one: string, other: string): boolean {
  if (one === other) return true;
  if (!URL.canParse(one) || !URL.canParse(other) || !isLoopback(one) || !isLoopback(other)) return false;
  return new URL(one).pathname === new URL(other).pathname;
}

const variable = (name: VariableName): string | undefined => Deno.env.get(name);

function keySet(name: VariableName): string[] {
  const text = variable(name);
  if (!text) return [];
  try {
    const keys = KeySet.parse(JSON.parse(text));
    const { default: first, ...others } = keys;
    return [...(first === undefined ? [] : [first]), ...Object.values(others)];
  } catch {
    return [];
  }
}
