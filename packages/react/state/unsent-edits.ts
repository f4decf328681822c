/** Edits of plans by hand that are not rendered yet. The browser keeps them for the mashup and the plan that they belong to. */
import { useSyncExternalStore } from 'react';
import type { PlanEdit } from '../../../schema.ts';
import { readStored, writeStored } from './stored.ts';

const STORAGE_KEY = 'mashup-plan-edits';
/** Mashups whose edits are kept at most: those that were edited last. */
const MAX_MASHUPS = 8;

/** Lists of edits, for undo and redo; the shown one at `at`. */
export interface EditHistory {
  lists: PlanEdit[][];
  at: number;
}
/** Edits of the plan with this version. */
interface Kept extends EditHistory {
  planVersion: number;
}
/** By the id of the mashup, those edited last at the end. */
type AllKept = Record<string, Kept>;

let known: AllKept | undefined;
const listeners = new Set<() => void>();

function current(): AllKept {
  known ??= readStored(STORAGE_KEY, {}, isAllKept);
  return known;
}

function isAllKept(value: unknown): value is AllKept {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value as Record<string, Partial<Kept> | null>).every(
      (one) => Array.isArray(one?.lists) && one.lists.every((list) => Array.isArray(list)) && Number.isInteger(one.at),
    )
  );
}

function write(change: (all: AllKept) => AllKept): void {
  // Another tab may have kept edits of other mashups.
  known = change(readStored(STORAGE_KEY, current(), isAllKept));
  writeStored(STORAGE_KEY, known);
  for (const listener of listeners) listener();
}

/** Keeps the edits of a mashup's plan; no edits are forgotten. */
export function keepUnsentEdits(jobId: string, planVersion: number, { lists, at }: EditHistory): void {
  if (lists.every((list) => list.length === 0)) return forgetUnsentEdits(jobId);
  write(({ [jobId]: _before, ...others }) =>
    Object.fromEntries([...Object.entries(others), [jobId, { planVersion, lists, at }]].slice(-MAX_MASHUPS)),
  );
}

/** Forgets the edits of a mashup, e.g. because they were sent. */
export function forgetUnsentEdits(jobId: string): void {
  if (current()[jobId] !== undefined) write(({ [jobId]: _gone, ...others }) => others);
}

/** The kept edits of a mashup's plan; `outdated`: there are some of another plan of it. */
export function unsentEditsOf(jobId: string, planVersion: number): EditHistory | 'outdated' | undefined {
  const kept = current()[jobId];
  if (kept === undefined) return undefined;
  return kept.planVersion === planVersion ? { lists: kept.lists, at: kept.at } : 'outdated';
}

function subscribe(listener: () => void): () => void {
  const onStorage = ({ key }: StorageEvent): void => {
    if (key !== STORAGE_KEY) return;
    known = undefined;
    listener();
  };
  listeners.add(listener);
  addEventListener('storage', onStorage);
  return () => {
    listeners.delete(listener);
    removeEventListener('storage', onStorage);
  };
}

/** Returns a function that tells whether a mashup has edits that are not rendered. Renders again when that changes. */
export function useUnsentEdits(): (job: { id: string; planVersion: number | null }) => boolean {
  const all = useSyncExternalStore(subscribe, current, current);
  return ({ id, planVersion }) => {
    const kept = all[id];
    return kept !== undefined && kept.planVersion === planVersion && (kept.lists[kept.at] ?? []).length > 0;
  };
}
