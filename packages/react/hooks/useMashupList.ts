/** The user's mashups in groups of versions, searched and sorted by the database, page by page. */
import { useEffect, useRef, useState } from 'react';
import type { SupabaseClient } from '@supabase/supabase-js';
import { listMashups } from '@mashup-engine/client';
import type { MashupGroup, MashupJob, MashupList, MashupListOptions } from '@mashup-engine/client';
import { toProblem } from '../state/problem.ts';
import type { Problem } from '../state/problem.ts';
import { useStudio } from '../state/studio.tsx';
import { useJobChanges } from './useJobChanges.ts';

const PAGE = 20;
const MAX_PAGE = 100;
/** Changes that come together are read together, in milliseconds. */
const TOGETHER_MS = 300;

/** Which mashups are wanted, and in which order. */
export type MashupListQuery = Pick<MashupListOptions, 'search' | 'state' | 'sort'>;

export interface MashupListState {
  /** What was read, at most as many groups as are wanted; undefined until the first one has been. While another query is read: those of the one before. */
  list: MashupList | undefined;
  /** The query that `list` answers. */
  query: MashupListQuery;
  hasMore: boolean;
  problem: Problem | undefined;
  /** Reads all groups again. */
  refresh(): Promise<void>;
}

const NOTHING: MashupList = { groups: [], groupsFound: 0, mashupsFound: 0 };

/**
 * Reads the mashups of the user that a query finds, and keeps them current over Realtime.
 * @param count groups that are wanted at most; more are read by a larger count
 */
export function useMashupList(query: MashupListQuery, count = PAGE): MashupListState {
  const { supabase } = useStudio();
  const [read, setRead] = useState<{ list: MashupList; query: MashupListQuery; key: string }>();
  const [problem, setProblem] = useState<Problem>();
  const { search = '', state = 'all', sort = 'newest' } = query;
  const key = JSON.stringify([search, state, sort]);
  const wanted = `${key} ${count}`;
  const latest = useRef({ wanted, generation: 0 });
  latest.current.wanted = wanted;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const list = read && { ...read.list, groups: read.list.groups.slice(0, count) };

  /** Reads what follows the known groups. */
  const load = async (known: MashupGroup[]): Promise<void> => {
    const generation = (latest.current.generation += 1);
    const isWanted = (): boolean => generation === latest.current.generation && wanted === latest.current.wanted;
    try {
      const pages = await readGroups(supabase, { search, state, sort }, known, count);
      if (!isWanted()) return;
      setRead({ list: pages, query: { search, state, sort }, key });
      setProblem(undefined);
    } catch (error) {
      if (isWanted()) setProblem(toProblem(error));
    }
  };
  // A timer or handler of an earlier rendering reads what is wanted now; its own query would end a read of the present one.
  const latestRefresh = useRef<() => Promise<void>>(undefined);
  latestRefresh.current = () => load([]);
  const refresh = async (): Promise<void> => latestRefresh.current?.();
  const refreshSoon = (): void => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void refresh(), TOGETHER_MS);
  };
  useEffect(() => () => clearTimeout(timer.current), []);

  const isSignedIn = useJobChanges((job) => {
    const before = list?.groups.flatMap(({ mashups }) => mashups).find(({ id }) => id === job.id);
    if (list === undefined || before === undefined || before.status !== job.status) return refreshSoon();
    setRead((now) => now && { ...now, list: withRow(now.list, job) });
  }, refreshSoon);
  useEffect(() => {
    if (isSignedIn === true) void load(read?.key === key ? read.list.groups.slice(0, count) : []);
    if (isSignedIn === false) setRead({ list: NOTHING, query: {}, key: '' });
  }, [isSignedIn, key, count]);

  return {
    list,
    query: read?.query ?? {},
    hasMore: list !== undefined && list.groups.length < list.groupsFound,
    problem,
    refresh,
  };
}

/** Reads groups behind those that are known, until there are `count`, or all. @throws MashupClientError */
async function readGroups(
  supabase: SupabaseClient,
  query: MashupListQuery,
  known: MashupGroup[],
  count: number,
): Promise<MashupList> {
  let groups = known;
  let page: MashupList;
  do {
    const after = groups.at(-1)?.id;
    const pageSize = Math.min(MAX_PAGE, Math.max(1, count - groups.length));
    page = await listMashups(supabase, { ...query, pageSize, ...(after === undefined ? {} : { after }) });
    const ids = new Set(groups.map(({ id }) => id));
    groups = [...groups, ...page.groups.filter(({ id }) => !ids.has(id))];
  } while (page.groups.length > 0 && groups.length < Math.min(count, page.groupsFound));
  return { ...page, groups };
}

/** A list with one row updated. */
const withRow = (list: MashupList, row: MashupJob): MashupList => ({
  ...list,
  groups: list.groups.map((group) =>
    group.mashups.some(({ id }) => id === row.id)
      ? {
          ...group,
          mashups: group.mashups.map((job) =>
            job.id === row.id && job.version <= row.version ? { ...job, ...row } : job,
          ),
        }
      : group,
  ),
});
