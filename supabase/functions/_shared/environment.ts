/** Settings that the platform gives a function. */
import { z } from 'zod';
import { ApiError } from './http.ts';

/** New-style keys come as one JSON object, names to keys. */
const KeySet = z.record(z.string(), z.string());

export interface Environment {
  url: string;
  /** The key that names the project in calls to its own API: publishable, or the anon JWT of older projects. */
  apiKey: string;
  /** What a token signed with the project's keys must name as its issuer; undefined where that cannot be known. */
  issuer: string | undefined;
  /** Keys of the service role: `sb_secret_…` ones, and the JWT of older projects. */
  serviceKeys: string[];
}

/**
 * Reads the environment, keys of both styles.
 * @throws ApiError 500 `env_missing`
 */
export function readEnvironment(): Environment {
  const url = Deno.env.get('SUPABASE_URL');
  const apiKey =
    keySet('SUPABASE_PUBLISHABLE_KEYS')[0] ??
    (Deno.env.get('SUPABASE_PUBLISHABLE_KEY') || Deno.env.get('SUPABASE_ANON_KEY'));
  if (!url || !apiKey) {
    throw new ApiError(500, 'env_missing', 'Supabase env not configured', {
      hint: 'The operator has to set SUPABASE_URL and a publishable or anon key for the functions.',
    });
  }
  const serviceKeys = [
    ...keySet('SUPABASE_SECRET_KEYS'),
    Deno.env.get('SUPABASE_SECRET_KEY'),
    Deno.env.get('SUPABASE_SERVICE_ROLE_KEY'),
  ].filter((key): key is string => Boolean(key));
  return { url, apiKey, issuer: issuerOf(url), serviceKeys };
}

/**
 * Auth signs as `<project>/auth/v1`, also where a custom domain stands before it. In a container network SUPABASE_URL is plain
 * HTTP to a name that no token carries (`http://kong:8000`): there SB_JWT_ISSUER says who signs.
 */
function issuerOf(url: string): string | undefined {
  const named = Deno.env.get('SB_JWT_ISSUER');
  if (named) return named;
  return new URL(url).protocol === 'https:' || isLoopback(url) ? `${url.replace(/\/+$/, '')}/auth/v1` : undefined;
}

function isLoopback(url: string): boolean {
  return ['127.0.0.1', '[::1]', 'localhost'].includes(new URL(url).hostname);
}

/** Whether two issuers are the same. A local stack is itself on whatever port it runs today. */
export function isSameIssuer(one: string, other: string): boolean {
  if (one === other) return true;
  if (!URL.canParse(one) || !URL.canParse(other) || !isLoopback(one) || !isLoopback(other)) return false;
  return new URL(one).pathname === new URL(other).pathname;
}

function keySet(name: string): string[] {
  const text = Deno.env.get(name);
  if (!text) return [];
  try {
    const keys = KeySet.parse(JSON.parse(text));
    const { default: first, ...others } = keys;
    return [...(first === undefined ? [] : [first]), ...Object.values(others)];
  } catch {
    return [];
  }
}
