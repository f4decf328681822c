/** Checks a running audio service against the contract. */
import { randomUUID } from 'node:crypto';
import { SERVICE_DEFAULTS } from '../schema.ts';
import type { ServiceName } from '../schema.ts';
import { startFileServer } from './file-server.ts';
import { isReachable, sendRequest } from './request.ts';
import type { Reply } from './request.ts';
import { Fault, NotChecked } from './rule.ts';
import type { CallName, Probe, Rule } from './rule.ts';
import { ANALYSIS_RULES, analysisBody } from './rules/analysis.ts';
import type { MakeBody } from './rules/common.ts';
import { ORCHESTRATOR_RULES, orchestratorBody } from './rules/orchestrator.ts';
import { PROCESSING_RULES, processingBody } from './rules/processing.ts';
import { SCORING_RULES, scoringBody } from './rules/scoring.ts';
import { SEPARATION_RULES, separationBody } from './rules/separation.ts';

/** Time limit of one call: separation on a slow machine takes minutes. */
const DEFAULT_TIMEOUT_MS = 600_000;
const REACH_MS = 5_000;

/** The rules of each service and its valid request. */
const CONTRACT: Record<ServiceName, { rules: readonly Rule[]; body: MakeBody }> = {
  analysis: { rules: ANALYSIS_RULES, body: analysisBody },
  processing: { rules: PROCESSING_RULES, body: processingBody },
  scoring: { rules: SCORING_RULES, body: scoringBody },
  orchestrator: { rules: ORCHESTRATOR_RULES, body: orchestratorBody },
  separation: { rules: SEPARATION_RULES, body: separationBody },
};

/** The outcome of one rule. */
export interface RuleResult {
  rule: string;
  text: string;
  outcome: 'holds' | 'fault' | 'advice' | 'not_checked';
  /** What the service does instead, or why it was not checked. */
  detail?: string;
}

export interface ServiceCheckOptions {
  /** Bearer token of the service. */
  token?: string;
  timeoutMs?: number;
  /** Address on which the check serves its test files; default 127.0.0.1. */
  filesHost?: string;
  /** URL under which the service reaches the test files. */
  filesUrl?: string;
}

/** A service that does not answer at all. */
export class ServiceUnreachableError extends Error {
  readonly code = 'service_unreachable';
  readonly hint = 'Start it, and give the URL at which it listens.';

  constructor(service: ServiceName, url: string) {
    super(`The ${service} service does not answer at ${new URL(url).origin}.`);
    this.name = 'ServiceUnreachableError';
  }
}

/** The names of the rules of a service, in the order of their checks. */
export function ruleNames(service: ServiceName): string[] {
  return CONTRACT[service].rules.map(({ name }) => name);
}

/**
 * Checks a service. One call does real work: a song is analysed or separated, a plan is made (which a model may charge for), a
 * mashup of 8 s is rendered.
 * @throws ServiceUnreachableError if nothing answers at the URL
 */
export async function checkService(
  service: ServiceName,
  url: string,
  options: ServiceCheckOptions = {},
): Promise<RuleResult[]> {
  if (!(await isReachable(url, REACH_MS))) throw new ServiceUnreachableError(service, url);
  const { rules, body } = CONTRACT[service];
  const files = await startFileServer({ host: options.filesHost, publicUrl: options.filesUrl });
  try {
    const probe = makeProbe({ service, url, files, body, options });
    const results: RuleResult[] = [];
    for (const rule of rules) results.push(await run(rule, probe));
    return results;
  } finally {
    await files.close();
  }
}

async function run(rule: Rule, probe: Probe): Promise<RuleResult> {
  const { name, text, isAdvice } = rule;
  try {
    await rule.check(probe);
    return { rule: name, text, outcome: 'holds' };
  } catch (error) {
    if (error instanceof NotChecked) return { rule: name, text, outcome: 'not_checked', detail: error.message };
    const detail = error instanceof Fault ? error.message : `the call failed: ${connectionText(error)}`;
    return { rule: name, text, outcome: isAdvice === true ? 'advice' : 'fault', detail };
  }
}

function makeProbe({
  service,
  url,
  files,
  body,
  options,
}: Pick<Probe, 'service' | 'files'> & { url: string; body: MakeBody; options: ServiceCheckOptions }): Probe {
  const { path } = SERVICE_DEFAULTS[service];
  const calls = new Map<CallName, Promise<Reply>>();
  const probe: Probe = {
    service,
    path,
    jobId: randomUUID(),
    files,
    send: (method, to, text) =>
      sendRequest(url.replace(/\/+$/, '') + to, {
        method,
        body: text,
        token: options.token,
        accept: service === 'processing' ? 'text/event-stream' : 'application/json',
        timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      }),
    post(name, given) {
      const made = calls.get(name);
      if (made !== undefined) return made;
      const sent = name === 'valid' ? body(probe) : given;
      const reply = probe.send('POST', path, JSON.stringify(sent));
      calls.set(name, reply);
      return reply;
    },
    async work() {
      const reply = await probe.post('valid', undefined).catch(() => undefined);
      if (reply?.status !== 200) throw new NotChecked('the valid request is not answered with status 200');
      return reply;
    },
  };
  return probe;
}

function connectionText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause: unknown = error.cause;
  return cause instanceof Error ? cause.message || error.message : error.message;
}
