import { useState } from 'react';
import { deleteMashup, startMashup } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { Notice, toProblem, useMashupList, useStore, useStudio } from '@mashup-engine/react';
import type { MashupListState, Problem } from '@mashup-engine/react';
import { LibraryGroup } from '../library/LibraryGroup.tsx';
import { LibraryTools } from '../library/LibraryTools.tsx';
import { libraryAddress, parseLibraryQuery, STATE_NAMES } from '../library/query.ts';
import type { LibraryQuery } from '../library/query.ts';

/** The list of the user's mashups: search, sort, filter, play, open, delete. The address holds what is shown. */
export default function LibraryPage({ query: address }: { query: string }) {
  const { supabase } = useStudio();
  const query = parseLibraryQuery(address);
  const found = useMashupList(query, query.pages * PAGE);
  const [refusal, attempt] = useAttempt(found.refresh);
  const { list } = found;
  const isFiltered = query.search !== '' || query.state !== 'all';
  const isEmpty = list?.groupsFound === 0 && !isFiltered;
  const problem = found.problem ?? refusal;

  /** Shows something else: as a step of the browser's history, or in place of the step before, as while a search is typed. */
  const change = (changed: Partial<LibraryQuery>, isStep = true): void => {
    const to = libraryAddress({ ...query, pages: 1, ...changed });
    if (isStep) location.hash = to;
    else location.replace(to);
  };
  const start = async (job: MashupJob): Promise<void> => {
    if (await attempt(startMashup(supabase, job.id))) location.hash = `/mashup/${job.id}`;
  };

  return (
    <div className="space-y-5">
      <h1 className="text-2xl font-semibold sm:text-3xl">My mashups</h1>
      {problem && <Notice problem={problem} />}
      {list !== undefined && !isEmpty && <LibraryTools query={query} onChange={change} />}
      {list === undefined && problem === undefined && <p className="panel min-h-40 text-soft">Loading…</p>}
      {isEmpty && <NoMashups />}
      {list !== undefined && !isEmpty && <Count found={found} />}
      <ul className="space-y-3">
        {list?.groups.map((group) => (
          <LibraryGroup
            key={group.id}
            group={group}
            onStart={(job) => void start(job)}
            onDelete={(job) => void attempt(deleteMashup(supabase, job.id))}
          />
        ))}
      </ul>
      {list?.groupsFound === 0 && isFiltered && (
        <button type="button" className="button" onClick={() => change(NO_QUERY)}>
          Show all mashups
        </button>
      )}
      {found.hasMore && list && (
        <button type="button" className="button w-full" onClick={() => change({ pages: query.pages + 1 })}>
          Show more ({list.groupsFound - list.groups.length} left)
        </button>
      )}
    </div>
  );
}

const NO_QUERY = parseLibraryQuery('');
/** Mashups of a page. */
const PAGE = 20;

/** Returns the problem of the last attempt, and a function that waits for work and reads the list again. It resolves to whether the work was done. */
function useAttempt(
  refresh: () => Promise<void>,
): [problem: Problem | undefined, attempt: (work: Promise<unknown>) => Promise<boolean>] {
  const [problem, setProblem] = useState<Problem>();
  const attempt = async (work: Promise<unknown>): Promise<boolean> => {
    setProblem(undefined);
    try {
      await work;
      return true;
    } catch (error) {
      setProblem(toProblem(error));
      return false;
    } finally {
      await refresh();
    }
  };
  return [problem, attempt];
}

/** How many mashups were found. */
function Count({ found: { list, query } }: { found: MashupListState }) {
  if (list === undefined) return null;
  const { search = '', state = 'all' } = query;
  const count = (value: number, unit: string): string => `${value} ${unit}${value === 1 ? '' : 's'}`;
  const what = [
    ...(search === '' ? [] : [`with “${search}”`]),
    ...(state === 'all' ? [] : [`in the state “${STATE_NAMES[state]}”`]),
  ].join(' ');
  const versions = list.mashupsFound > list.groupsFound ? `, ${count(list.mashupsFound, 'version')}` : '';
  return (
    <p role="status" className="text-sm text-soft [overflow-wrap:anywhere]" data-testid="library-count">
      {list.groupsFound === 0 ? 'No mashup' : `${count(list.groupsFound, 'mashup')}${versions}`} {what}
    </p>
  );
}

function NoMashups() {
  const { session, hasEnded } = useStore(useStudio().session);
  return hasEnded ? <SignedOut /> : <EmptyLibrary mayHaveAccount={session === null} />;
}

/** The mashups are not lost, only not in sight. */
function SignedOut() {
  return (
    <div className="panel py-14 text-center" data-testid="library-signed-out">
      <p className="text-lg font-semibold">You are signed out</p>
      <p className="mt-2 text-soft">
        Sign in to see the mashups of your account. Those of a guest belong to the session that has ended, and cannot be
        opened again.
      </p>
      <a href="#/account" className="button-primary mt-5">
        Sign in
      </a>
    </div>
  );
}

function EmptyLibrary({ mayHaveAccount }: { mayHaveAccount: boolean }) {
  return (
    <div className="panel py-14 text-center" data-testid="library-empty">
      <p className="text-lg font-semibold">No mashups yet</p>
      <p className="mt-2 text-soft">
        Your first mashup takes about a minute. If you have no songs at hand, use the example songs.
      </p>
      <a href="#/" className="button-primary mt-5">
        Make the first mashup
      </a>
      {mayHaveAccount && (
        <p className="mt-5 text-sm text-soft">
          Do you have an account?{' '}
          <a href="#/account" className="font-medium text-accent underline">
            Sign in
          </a>{' '}
          to see its mashups.
        </p>
      )}
    </div>
  );
}
