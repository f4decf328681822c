/** An operation on all jobs of a filter: what it would hit, then batch by batch, with the outcome of each job. */
import { useRef, useState } from 'react';
import type { SupabaseClient } from '@supabase/supabase-js';
import type { Problem } from '@mashup-engine/react';
import type { ReplayStage } from '../../../schema.ts';
import { fromOperatorError } from './actions.ts';
import type { JobFilter } from './filters.ts';
import type { BulkPreview } from './types.ts';

/** Jobs of one call: short transactions, and a stop takes effect soon. */
const BATCH = 25;

export type BulkOperation = { name: 'retry' } | { name: 'cancel' } | { name: 'replay'; stage: ReplayStage };

interface Outcome {
  id: string;
  outcome: 'done' | 'refused';
  message: string | null;
}

interface Batch {
  outcomes: Outcome[];
  after: string | null;
}

export interface Bulk {
  operation: BulkOperation | undefined;
  preview: BulkPreview | undefined;
  state: 'idle' | 'loading' | 'confirming' | 'running' | 'done' | 'stopped';
  done: number;
  refused: Outcome[];
  problem: Problem | undefined;
  ask: (operation: BulkOperation) => Promise<void>;
  run: () => Promise<void>;
  stop: () => void;
  reset: () => void;
}

interface BulkState extends Omit<Bulk, 'ask' | 'run' | 'stop' | 'reset'> {
  /** The filter of the preview, which ends at its time: jobs that match it later are not hit. */
  filter: JobFilter;
}

const IDLE: BulkState = {
  operation: undefined,
  preview: undefined,
  state: 'idle',
  done: 0,
  refused: [],
  problem: undefined,
  filter: {},
};

/** Returns an operation on the jobs of a filter, of which nothing is done before `run`. */
export function useBulk(supabase: SupabaseClient, filter: JobFilter, onDone: () => Promise<void>): Bulk {
  const [bulk, setBulk] = useState<BulkState>(IDLE);
  const isStopped = useRef(false);
  const change = (part: Partial<BulkState>): void => setBulk((last) => ({ ...last, ...part }));

  const ask = async (operation: BulkOperation): Promise<void> => {
    setBulk({ ...IDLE, operation, state: 'loading' });
    const { data, error } = await supabase.rpc('operator_preview', { filter });
    if (error) return setBulk({ ...IDLE, problem: fromOperatorError(error) });
    const preview = data as BulkPreview;
    const until = filter.until ?? preview.server_now;
    change({ preview, state: 'confirming', filter: { ...filter, until } });
  };

  const run = async (): Promise<void> => {
    const { operation, filter: fixed } = bulk;
    if (operation === undefined) return;
    isStopped.current = false;
    change({ state: 'running' });
    const to_stage = operation.name === 'replay' ? operation.stage : null;
    let after: string | null = null;
    do {
      const parameters = { operation: operation.name, filter: fixed, to_stage, max_jobs: BATCH, after_id: after };
      const { data, error } = await supabase.rpc('operator_bulk', parameters);
      if (error) {
        change({ state: 'stopped', problem: fromOperatorError(error) });
        break;
      }
      const batch = data as Batch;
      const refused = batch.outcomes.filter(({ outcome }) => outcome === 'refused');
      setBulk((last) => ({
        ...last,
        done: last.done + batch.outcomes.length - refused.length,
        refused: [...last.refused, ...refused],
      }));
      ({ after } = batch);
    } while (after !== null && !isStopped.current);
    setBulk((last) => (last.state === 'running' ? { ...last, state: after === null ? 'done' : 'stopped' } : last));
    await onDone();
  };

  const stop = (): void => void (isStopped.current = true);
  return { ...bulk, ask, run, stop, reset: () => setBulk(IDLE) };
}
