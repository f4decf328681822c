/** `mashup jobs`: lists the newest jobs. */
import type { Command } from 'commander';
import pc from 'picocolors';
import type { JobStatus, SongCard, Stage } from '../../schema.ts';
import type { StackOptions } from '../connect.ts';
import { withDatabase } from '../operator.ts';
import { truncate, duration, paintStatus, print, printJson, printTable } from '../output.ts';

const DEFAULT_COUNT = 20;
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
    .option('--stage <stage>', 'only jobs in this stage')
    .option('--count <n>', 'number of jobs', Number, DEFAULT_COUNT)
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
          order by mashup_jobs.created_at desc limit ${Math.max(1, Math.floor(options.count) || DEFAULT_COUNT)}`,
      );
      if (options.json === true) jobs.forEach((job) => printJson(job));
      else if (jobs.length === 0) print('No jobs yet. Make one: mashup make one.mp3 two.mp3 --out mashup.wav');
      else printTable(['id', 'stage', '', 'mashup', 'age'], jobs.map(describe));
    });
}

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
