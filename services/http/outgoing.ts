/**
 * Requests of a service to URLs that its callers name: downloads and uploads of files. Only allowed origins are contacted,
 * redirects are refused, and a name that resolves to an address of a private network is refused when the connection is made.
 */
import { lookup as resolve, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, fetch as undiciFetch, type RequestInit, type Response } from 'undici';
import { ServiceEnvironment } from './environment.ts';

/** What a service may contact. */
export type OutgoingPolicy = {
  /** Origins that may be contacted at any address. */
  trusted: ReadonlySet<string>;
  /** Origins that may be contacted at public addresses only. */
  publicOnly: ReadonlySet<string>;
  /** Any origin with a loopback address may be contacted: a service for local use without configuration. */
  allowsLoopback: boolean;
};

/** A URL that the service may not contact. Contains no query string. */
export class OriginRefusedError extends Error {
  readonly code: 'origin_not_allowed' | 'address_not_allowed' | 'redirect_not_allowed';
  readonly hint: string;

  constructor(code: OriginRefusedError['code'], message: string, hint: string) {
    super(message);
    this.name = 'OriginRefusedError';
    this.code = code;
    this.hint = hint;
  }
}

/** Whether a host (an address, or `localhost`) names this machine only. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1');
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  return ipaddr.isValid(name) && ipaddr.process(name).range() === 'loopback';
}

/**
 * Reads the policy of a service.
 * @throws ZodError for invalid variables
 */
export function readOutgoingPolicy(environment: NodeJS.ProcessEnv): OutgoingPolicy {
  const { HOST, SERVICES_ALLOWED_ORIGINS: listed, SUPABASE_URL: project } = ServiceEnvironment.parse(environment);
  const trusted = new Set(listed);
  const publicOnly = new Set<string>();
  if (project !== undefined) {
    const { hostname, origin } = new URL(project);
    // An address or `localhost` says itself where it leads; a name is only as good as its DNS.
    if (isLoopbackHost(hostname) || isAddress(hostname)) trusted.add(origin);
    else publicOnly.add(origin);
  }
  const isConfigured = trusted.size + publicOnly.size > 0;
  return { trusted, publicOnly, allowsLoopback: !isConfigured && isLoopbackHost(HOST) };
}

/** A lookup of addresses that fails unless all of them satisfy `accepts`. Undici calls it for each new connection. */
export function guardedLookup(accepts: (address: string) => boolean, lookup: typeof resolve = resolve): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      // The types of `lookup` with `all` and of its callback are declared separately.
      const addresses = (found as LookupAddress[] | undefined) ?? [];
      const [first] = addresses;
      if (error !== null || first === undefined) return callback(error ?? new Error(`${hostname} has no address`), '');
      if (!addresses.every(({ address }) => accepts(address))) return callback(addressRefused(hostname), '');
      if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** Whether an address belongs to the public internet: not private, loopback, link-local, reserved or a form of these. */
export function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast';
}

const isLoopbackAddress = (address: string): boolean => ipaddr.process(address).range() === 'loopback';

/** Connections by the addresses that they may have. */
const agents = {
  any: new Agent(),
  public: new Agent({ connect: { lookup: guardedLookup(isPublicAddress) } }),
  loopback: new Agent({ connect: { lookup: guardedLookup(isLoopbackAddress) } }),
};

/**
 * Fetches a URL that a caller named, if the policy allows it.
 * @param options.policy default: that of this process's environment
 * @throws OriginRefusedError for an origin, an address or a redirect that is not allowed; otherwise as `fetch`
 */
export async function fetchOutgoing(
  url: URL,
  init: RequestInit = {},
  { policy = readOutgoingPolicy(process.env), agent }: { policy?: OutgoingPolicy; agent?: Agent } = {},
): Promise<Response> {
  const dispatcher = agent ?? agents[accessTo(url, policy)];
  let response: Response;
  try {
    response = await undiciFetch(url, { ...init, redirect: 'manual', dispatcher });
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    throw cause instanceof OriginRefusedError ? cause : error;
  }
  if (response.status < 300 || response.status > 399) return response;
  await response.body?.cancel();
  throw new OriginRefusedError(
    'redirect_not_allowed',
    `${url.origin} redirects the request, which is not followed.`,
    'Send the URL at which the file is.',
  );
}

/** Returns at which addresses a URL may be contacted. */
function accessTo({ hostname, origin }: URL, policy: OutgoingPolicy): keyof typeof agents {
  if (policy.trusted.has(origin)) return 'any';
  if (policy.publicOnly.has(origin)) return 'public';
  if (policy.allowsLoopback && isLoopbackHost(hostname)) return 'loopback';
  throw new OriginRefusedError(
    'origin_not_allowed',
    `This service may not contact ${origin}.`,
    'Set SUPABASE_URL of the service to the project, or name the origin in SERVICES_ALLOWED_ORIGINS.',
  );
}

function isAddress(hostname: string): boolean {
  return ipaddr.isValid(hostname.replace(/^\[(.*)\]$/, '$1'));
}

function addressRefused(hostname: string): OriginRefusedError {
  return new OriginRefusedError(
    'address_not_allowed',
    `${hostname} resolves to an address of a private network.`,
    'If that is intended, name the origin in SERVICES_ALLOWED_ORIGINS.',
  );
}
