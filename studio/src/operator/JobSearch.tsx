import { useMemo } from 'react';
import type { SupabaseClient } from '@supabase/supabase-js';
import { Notice } from '@mashup-engine/react';
import { BulkActions } from './BulkActions.tsx';
import { FilterForm } from './FilterForm.tsx';
import { jobsUrl, readQuery } from './filters.ts';
import type { JobFilter, Place } from './filters.ts';
import { JobRow } from './JobRow.tsx';
import { timeZone } from './times.ts';
import type { JobPage } from './types.ts';
import { useOperatorDocument, useOverview } from './useOperatorData.ts';

const READ_EVERY_MS = 5_000;
/** Only the choices of the filters come from the overview. */
const READ_CHOICES_EVERY_MS = 60_000;
const PAGE = 50;

/** All jobs by filter, in pages, with operations on all jobs of the filter. The address names the filter and the page. */
export function JobSearch({ supabase, query }: { supabase: SupabaseClient; query: string }) {
  const { filter, before } = useMemo(() => readQuery(query), [query]);
  const parameters = { filter, max_jobs: PAGE, before_time: before?.time ?? null, before_id: before?.id ?? null };
  const { data, problem, refresh } = useOperatorDocument<JobPage>(supabase, 'operator_jobs', parameters, READ_EVERY_MS);
  const { data: overview } = useOverview(supabase, READ_CHOICES_EVERY_MS);
  return (
    <div className="space-y-5" data-testid="job-search">
      <FilterForm key={query} filter={filter} overview={overview} />
      {problem && <Notice problem={problem} />}
      <BulkActions key={JSON.stringify(filter)} supabase={supabase} filter={filter} onDone={refresh} />
      <section className="panel" aria-label="Jobs" aria-busy={data === undefined}>
        <h2 className="font-semibold">Jobs</h2>
        <p className="mt-1 text-xs text-soft">
          By the time of their end, live ones by that of their creation. Times are {timeZone()}.
        </p>
        {data === undefined ? (
          !problem && <p className="mt-3 text-sm text-soft">Loading…</p>
        ) : (
          <Page page={data} filter={filter} before={before} />
        )}
      </section>
    </div>
  );
}

function Page({
  page: { jobs, next },
  filter,
  before,
}: {
  page: JobPage;
  filter: JobFilter;
  before: Place | undefined;
}) {
  return (
    <>
      {jobs.length === 0 && <p className="mt-3 text-sm text-soft">No job matches.</p>}
      <ul className="mt-2 divide-y divide-line">
        {jobs.map((job) => (
          <li key={job.id} data-testid="listed-job">
            <JobRow job={job} />
          </li>
        ))}
      </ul>
      <nav className="mt-3 flex flex-wrap gap-2 empty:hidden" aria-label="Pages">
        {before && (
          <a className="button" href={jobsUrl(filter)}>
            Latest
          </a>
        )}
        {next && (
          <a className="button" href={jobsUrl(filter, next)}>
            Older
          </a>
        )}
      </nav>
    </>
  );
}
