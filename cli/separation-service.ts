/** What the separation service tells of its models. */
import { HealthResponse } from '../schema.ts';
import type { SeparationModels } from '../schema.ts';

const TIMEOUT_MS = 5_000;

/** Returns the models of a separation service; undefined if it does not respond or tells none, as services of others. */
export async function fetchModels(url: string): Promise<SeparationModels | undefined> {
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return HealthResponse.safeParse(await response.json()).data?.models;
  } catch {
    return undefined;
  }
}

/** Returns which separator is used, in a few words. */
export function separatorText({ classical, neural, used, fault }: SeparationModels): string {
  if (fault) return `${used}, the classical method: ${fault.message} ${fault.hint}`;
  if (used !== classical) return `${used}, a separation model`;
  if (neural !== null) return `${used}, the classical method; ${neural} for jobs that ask for it`;
  return `${used}, the classical method; \`mashup models\` lists models with better stems`;
}
