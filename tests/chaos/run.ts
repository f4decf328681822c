/** npm run stress [-- --jobs 1000 --workers 4 --seed N --every MS --json FILE]: runs a stress test and prints its report. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { printReport } from './stress-report.ts';
import { runStress } from './stress-run.ts';

/** postgres.js throws this from a timer when a connection is lost during the login. The query fails too, and is repeated. */
const POSTGRES_JS_LATE_WRITE = /null \(reading 'write'\)/;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
process.on('uncaughtException', (error) => {
  // Sockets of this process are lost by restarts of Postgres, which is expected.
  if (POSTGRES_JS_LATE_WRITE.test(error.message) || 'syscall' in error) return;
  console.error(error);
  process.exit(2);
});
const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '1000' },
    workers: { type: 'string', default: '4' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    every: { type: 'string', default: '2000' },
    json: { type: 'string' },
  },
});
console.log(`seed ${values.seed}`);
const report = await runStress({
  jobs: Number(values.jobs),
  workers: Number(values.workers),
  seed: Number(values.seed),
  everyMs: Number(values.every),
  log: (line) => console.log(line),
});
printReport(report);
if (values.json) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
process.exit(report.violations.length === 0 ? 0 : 1);
