/** `mashup jobs`: lists the newest jobs. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { STAGES } from '../../schema.ts';
import type { JobStatus, SongCard, Stage } from '../../schema.ts';
import type { StackOptions } from '../connect.ts';
import { withDatabase } from '../operator.ts';
import { choice, numeric } from '../options.ts';
import { truncate, duration, paintStatus, print, printJson, printTable } from '../output.ts';

const DEFAULT_COUNT = 20;
const MAX_COUNT = 10_000;
const TITLE_WIDTH = 44;

interface JobLine {
  id: string;
  stage: Stage;
  status: JobStatus;
  waiting_on: string | null;
  progress: number;
  title: string | null;
  songs: SongCard[];
  error_code: string | null;
  /** ISO 8601. */
  created_at: string;
  age_sec: number;
}

/** Adds the command to the program. */
export function addJobs(program: Command): void {
  program
    .command('jobs')
    .description('list the newest jobs')
    .addOption(choice('--stage <stage>', 'only jobs in this stage', STAGES))
    .addOption(
      numeric('--count <n>', 'number of jobs', { min: 1, max: MAX_COUNT, isWhole: true }).default(DEFAULT_COUNT),
    )
    .option('--json', 'one JSON line per job')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<StackOptions & { stage?: string; count: number; json?: boolean }>();
      const jobs = await withDatabase(
        options,
        (sql) => sql<JobLine[]>`
          select id, stage, status, waiting_on, progress, title, songs, error_code, to_json(created_at) #>> '{}' as created_at,
            extract(epoch from mashup.now() - mashup_jobs.created_at)::int as age_sec
          from public.mashup_jobs
          where ${options.stage ?? null}::text is null or stage = ${options.stage ?? null}
          order by mashup_jobs.created_at desc limit ${options.count}`,
      );
      if (options.json === true) jobs.forEach((job) => printJson(job));
      else if (jobs.length === 0) print(emptyText(options.stage));
      else printTable(['id', 'stage', '', 'mashup', 'age'], jobs.map(describe));
    });
}

const emptyText = (stage: string | undefined): string =>
  stage === undefined
    ? 'No jobs yet. Make one: mashup make one.mp3 two.mp3 --out mashup.wav'
    : `No job is in stage ${stage}.`;

function describe(job: JobLine): string[] {
  const detail =
    job.error_code ?? job.waiting_on ?? (job.status === 'processing' ? `${Math.floor(job.progress)} %` : '');
  return [
    job.id,
    paintStatus(job.status, job.stage),
    pc.dim(detail),
    truncate(job.title ?? job.songs.map((song) => song.name).join(' + '), TITLE_WIDTH),
    pc.dim(duration(job.age_sec)),
  ];
}
