/** Environment variables of tests, benchmarks, scripts and of the build of the studio. */
import { z } from 'zod';

const text = (description: string): z.ZodOptional<z.ZodString> => z.string().optional().describe(description);
const count = (value: number, description: string): z.ZodDefault<z.ZodCoercedNumber> =>
  z.coerce.number().default(value).describe(description);

export const DevelopmentEnvironment = z.object({
  CHROMIUM_PATH: text("Browser of the studio's tests. Without it, Chromium is searched in the usual places."),
  CI: text('If it is set, the tests of the studio fail without a browser instead of being skipped.'),
  NODE_EXTRA_CA_CERTS: text('Certificates that `scripts/image/build-root.ts` also trusts, as Node does.'),
  MASHUP_TEST_PG: text('Superuser URL of the Postgres of the tests. Set by `tests/run.ts`.'),
  MASHUP_MODEL_SEED: text('Seed of the model test.'),
  MASHUP_MODEL_SEQUENCES: text('Number of command sequences of the model test.'),
  TEST_TIMES_FILE: text('File to which each test process appends its duration. Set by `tests/run.ts`.'),
  TEST_FILE_DEADLINE_SEC: text('Deadline of a test file in seconds. Set by `tests/run.ts`.'),
  SEED: text('Seed of the generated requests of `tests/security/fuzz.ts`.'),
  MASHUP_API_URL: text('Stack that `npm run studio:dev` uses. Default: `http://127.0.0.1:54321`.'),
  VITE_SUPABASE_URL: text('Project of a static build of the studio (`npm run studio:build`).'),
  VITE_SUPABASE_ANON_KEY: text('Anon or publishable key of that project.'),
  BENCH_BASELINE: text('`builds`: checkout of an earlier build, with its own `node_modules`, to compare with.'),
  BENCH_KIND: text(
    "`builds`: `worker`: the product's worker, with files in Storage and services over HTTP. Default: handlers that return at once.",
  ),
  BENCH_FUNCTIONS: text('`builds`: set it to print the functions in which Postgres spent most time.'),
  BENCH_HANDOFF_FILE: text('Set by `builds` for its workers: file for the times of their hand-overs.'),
  BENCH_ROUNDS: text('`builds`: rounds, of which the medians count. Default: 3.'),
  BENCH_WORKERS: text('`builds`: workers and tasks that each runs at one time. Default: `1x10`.'),
  BENCH_JOBS: text('Jobs of a benchmark. Default: 100 (`pipeline`, `builds`, peers), 60 (`million`).'),
  BENCH_MOVES: count(400, 'Transitions of `bench/transitions.ts`.'),
  BENCH_FINISHED: count(1_000_000, 'Finished jobs of the benchmark `million`.'),
  BENCH_WAITING: count(10_000, 'Waiting jobs of the benchmark `million`.'),
  BENCH_PER_SEC: text('Jobs per second that the benchmark of the peers offers.'),
  BENCH_LOG: text('`1`: print the log of the processes of a benchmark.'),
  RECOVERY_KILLS: count(100, 'Workers killed by the benchmark `recovery`.'),
  RECOVERY_HANGS: count(3, 'Workers stopped, and workers cut off, by the benchmark `recovery`.'),
  RECOVERY_ABORTS: count(20, 'Cancellations, and replays, of the benchmark `recovery`.'),
  MASHUP_BENCH_SONGS: text(
    'Folder of songs for the benchmark `audio`: one folder per song with `truth.json` and four stems.',
  ),
  MASHUP_BENCH_GENERATED: count(40, 'Generated songs of the benchmark `audio`.'),
  BENCH_SEPARATION_SONGS: count(4, 'Generated songs of the benchmark `separation`.'),
  BENCH_SEPARATION_SEC: count(30, 'Seconds of each song of the benchmark `separation`.'),
  MASHUP_BENCH_PEER_SONGS: text('Folder of songs for `bench/peers-audio`. Set by the benchmark `audio`.'),
  MASHUP_BENCH_SOUNDFONT: text('Soundfont of the generated songs. Default: `/usr/share/sounds/sf2/FluidR3_GM.sf2`.'),
});
