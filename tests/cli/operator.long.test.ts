import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { after, describe, test } from 'node:test';
import { confirmNumber } from '../../cli/confirm.ts';
import { useMachine } from '../state-machine/state-machine-fixture.ts';
import { mashup } from './cli.ts';
import type { Run } from './cli.ts';

const machine = await useMachine({ after });
const worker = await machine.worker();
const user = await machine.user();
const cli = (...args: string[]): Promise<Run> => mashup(args, { DATABASE_URL: machine.url });

async function completeJob(): Promise<string> {
  const id = await machine.submit(user);
  await machine.run(worker);
  return id;
}

describe("the operator's commands", () => {
  test('jobs lists the newest jobs, and show prints one job, also by the start of its id', async () => {
    const id = await completeJob();
    const listed = await cli('jobs');
    assert.equal(listed.code, 0, listed.stderr);
    assert.match(listed.stdout, new RegExp(`${id} +complete +Test mashup`));
    const shown = await cli('show', id.slice(0, 6));
    assert.equal(shown.code, 0, shown.stderr);
    for (const part of ['Test mashup  complete  100 %', 'Plan 1 (rules): 120 bpm, A minor', 'render', '+0.00 s']) {
      assert.ok(shown.stdout.includes(part), `${part} is not in ${shown.stdout}`);
    }
    await machine.sql`
      update mashup_plans set model = 'claude-opus-5-5', cost_usd = 0.28, changes = 'The bass is louder.',
        tokens = '{"input_tokens": 8000, "output_tokens": 12000}' where job_id = ${id}`;
    const costly = (await cli('show', id)).stdout;
    assert.match(costly, /claude-opus-5-5, 8000 input tokens, 12000 output tokens, 0\.280 US dollars/);
    assert.match(costly, /changed\n {2}- The bass is louder\./);
    const json = JSON.parse((await cli('show', 'last', '--json')).stdout) as { job: { id: string }; events: object[] };
    assert.equal(json.job.id, id);
    assert.ok(json.events.length > 5);
  });

  test('settings lists, explains and sets, and names the values that are allowed', async () => {
    const listed = (await cli('settings')).stdout;
    assert.match(listed, /lease_sec +30 +a number of seconds from 1 to 3600/);
    assert.equal((await cli('settings', 'list')).stdout, listed);
    const explained = (await cli('settings', 'get', 'lease_sec')).stdout;
    assert.match(
      explained,
      /^lease_sec = 30\nSeconds without a heartbeat .*\nAllowed: a number of seconds from 1 to 3600\.\n$/,
    );
    assert.equal((await cli('settings', 'set', 'lease_sec', '45')).stdout, 'lease_sec = 45 (was 30)\n');
    assert.match((await cli('settings', 'set', 'lease_sec', '30')).stdout, /^lease_sec = 30/);
    const refused = await cli('settings', 'set', 'lease_sec', '30s');
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /^The setting lease_sec cannot be "30s": it is a number of seconds from 1 to 3600\./);
    const unknown = await cli('settings', 'get', 'lease_secs');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /^There is no setting "lease_secs"\. Did you mean lease_sec\?/);
    assert.match((await cli('settings', 'set', 'queue_schema', 'other')).stderr, /mashup migrate --queue-schema other/);
  });

  test('replay, cancel and retry change a job, and print one line for each refusal', async () => {
    const id = await completeJob();
    const replayed = await cli('replay', id, '--from', 'rendering');
    assert.match(replayed.stdout, /rendering +epoch 2/);
    assert.match((await cli('cancel', id)).stdout, /cancelled +epoch 3/);
    assert.match((await cli('retry', id)).stdout, /rendering +epoch 4/);
    const again = await cli('retry', id);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /^Job .* is in stage rendering: there is nothing to retry\. Retry a failed/);
    await machine.run(worker);
    const refusals: [args: string[], code: number, line: RegExp][] = [
      [['replay', id, '--from', 'complete'], 2, /^--from cannot be "complete"\. Choose one of queued, analyzing/],
      [['jobs', '--stage', 'nope'], 2, /^--stage cannot be "nope"\. Choose one of queued, .*, cancelled\.$/],
      [['jobs', '--count', '0'], 2, /^--count must be a whole number from 1 to 10000\./],
      [['pause', 'kitchen'], 2, /^scope cannot be "kitchen"\. Choose one of system, user/],
      [['replay', id], 2, /--from <stage>' not specified/],
      [['cancel', id], 1, /complete/],
      [['show', randomUUID()], 2, /^There is no job .*List the jobs with `mashup jobs`\.$/],
      [['show', "'; drop table x; --"], 2, /is not a job id/],
    ];
    for (const [args, code, line] of refusals) {
      const run = await cli(...args);
      assert.equal(run.code, code, `${args.join(' ')}: ${run.stderr}`);
      assert.match(run.stderr.trim(), line);
      assert.equal(run.stderr.trim().split('\n').length, 1, run.stderr);
    }
  });

  test('start-draft starts a draft, and refuses other jobs', async () => {
    const id = await machine.submit(user, 2, { hold: 'planning' });
    await machine.run(worker);
    assert.equal((await machine.job(id)).waiting_on, 'user');
    const started = await cli('start-draft', id);
    assert.equal(started.code, 0, started.stderr);
    assert.match(started.stdout, /planning +epoch 1/);
    await machine.run(worker);
    assert.equal((await machine.job(id)).stage, 'complete');
    assert.match((await cli('start-draft', id)).stderr, /is not a draft/);
  });

  test('pause and resume print what they did', async () => {
    assert.match((await cli('pause', 'service', 'separation', '--minutes', '5')).stdout, /is paused until 20/);
    assert.equal((await machine.sql`select from mashup.pauses`).length, 1);
    assert.match((await cli('resume', 'service', 'separation')).stdout, /is resumed/);
    assert.match((await cli('resume')).stdout, /The system was not paused/);
    const unknown = await cli('pause', 'service', 'kitchen');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /^There is no service "kitchen"/);
  });

  test('bulk lists the jobs, and changes them with --yes', async () => {
    const id = await machine.submit(user);
    const task = await machine.claimNext(worker, id);
    assert.ok(task);
    await machine.fail(task, 'permanent', 'audio_silent');
    const preview = await cli('bulk', 'retry', '--error', 'audio_silent');
    assert.match(preview.stdout, new RegExp(`${id} +failed +audio_silent`));
    assert.match(preview.stdout, /Nothing was changed\. Add --yes/);
    assert.equal((await machine.job(id)).stage, 'failed');
    const done = await cli('bulk', 'retry', '--error', 'audio_silent', '--yes');
    assert.match(done.stdout, /retry: 1 done, 0 refused/);
    assert.notEqual((await machine.job(id)).stage, 'failed');
    assert.equal((await cli('bulk', 'retry')).code, 2);
    const empty = await cli('bulk', 'cancel', '--text', ' ', '--yes');
    assert.deepEqual([empty.code, /--text is empty/.test(empty.stderr)], [2, true], empty.stderr);
    assert.equal((await cli('bulk', 'explode', '--stage', 'failed')).code, 2);
  });

  test('bulk filters by service, words, user and times, and counts the jobs and their users', async () => {
    await machine.sql`update mashup_jobs set stage = 'cancelled' where status = 'processing'`;
    const other = await machine.user();
    const ids: string[] = [];
    for (const owner of [user, other]) {
      const id = await machine.submit(owner);
      const task = await machine.claimNext(worker, id);
      assert.ok(task);
      await machine.fail(task, 'permanent', 'audio_too_quiet');
      ids.push(id);
    }
    await machine.sql`update mashup_jobs set title = 'Golden brown' where id = ${ids[1] ?? ''}`;
    const both = await cli(
      'bulk',
      'retry',
      '--error',
      'audio_too_quiet',
      '--service',
      'analysis',
      '--since',
      '2020-01-01',
    );
    assert.match(both.stdout, /\n2 jobs of 2 users: failed 2\.\nBy user: /, both.stderr);
    const hit = async (...args: string[]): Promise<string[]> => {
      const { stdout, stderr, code } = await cli('bulk', 'retry', '--error', 'audio_too_quiet', ...args);
      assert.equal(code, 0, stderr);
      return ids.filter((id) => stdout.includes(id));
    };
    assert.deepEqual(await hit('--text', 'brow gold'), [ids[1]]);
    assert.deepEqual(await hit('--user', `${other}@example.test`), [ids[1]]);
    assert.deepEqual(await hit('--service', 'processing'), []);
    assert.match((await cli('bulk', 'retry', '--since', 'yesterday')).stderr, /^--since cannot be "yesterday"\./);
    assert.match((await cli('bulk', 'cancel', '--user', 'nobody')).stderr, /^The filter user cannot be "nobody"/);
    assert.match((await cli('bulk', 'retry', '--text', 'golden', '--yes')).stdout, /retry: 1 done, 0 refused/);
    assert.equal((await machine.job(ids[0] ?? '')).stage, 'failed');
  });

  test('a number is confirmed by typing it, and by nothing else', async () => {
    const answer = async (text: string): Promise<boolean> => {
      const input = new PassThrough();
      const asked = confirmNumber('cancel 41 jobs', 41, new AbortController().signal, {
        input,
        output: new PassThrough(),
      });
      input.end(text);
      return asked;
    };
    assert.deepEqual(await Promise.all([' 41 \n', 'y\n', '40\n', '41.0\n', '\n', ''].map(answer)), [
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  test('times of pause and bulk are right under any DateStyle, IntervalStyle and time zone', async (t) => {
    const id = await machine.submit(user);
    await machine.sql`update mashup_jobs set stage = 'cancelled' where id = ${id}`;
    const settings = ["datestyle = 'german, dmy'", "intervalstyle = 'sql_standard'", "timezone = 'Pacific/Kiritimati'"];
    for (const setting of settings)
      await machine.sql.unsafe(`alter role postgres in database ${machine.name} set ${setting}`);
    t.after(() => machine.sql.unsafe(`alter role postgres in database ${machine.name} reset all`));

    const paused = await cli('pause', 'service', 'separation', '--minutes', '90');
    assert.equal(paused.code, 0, paused.stderr);
    const [left] = await machine.sql<{ sec: number }[]>`
      select extract(epoch from until - now())::float8 as sec from mashup.pauses where scope = 'service'`;
    assert.ok(left && left.sec > 5_370 && left.sec <= 5_400, String(left?.sec));
    const shown = Date.parse(/is paused until (\S+)\. /.exec(paused.stdout)?.[1] ?? '');
    assert.ok(Math.abs(shown - Date.now() - 5_400_000) < 30_000, paused.stdout);
    await cli('resume', 'service', 'separation');

    assert.match((await cli('bulk', 'retry', '--stage', 'cancelled', '--hours', '0.5')).stdout, new RegExp(id));
    await machine.sql`update mashup_jobs set finished_at = now() - interval '40 minutes' where id = ${id}`;
    assert.doesNotMatch((await cli('bulk', 'retry', '--stage', 'cancelled', '--hours', '0.5')).stdout, new RegExp(id));
    assert.match((await cli('bulk', 'retry', '--stage', 'cancelled', '--hours', '1')).stdout, new RegExp(id));

    const lines = (await cli('jobs', '--json')).stdout.trim().split('\n');
    const job = lines
      .map((line) => JSON.parse(line) as { id: string; created_at: string })
      .find((one) => one.id === id);
    assert.ok(Math.abs(Date.parse(job?.created_at ?? '') - Date.now()) < 60_000, job?.created_at);
    assert.match((await cli('show', id)).stdout, /created 20\d\d-\d\d-\d\dT/);
  });

  test('an ambiguous start of an id is refused with the jobs that match', async () => {
    const id = await machine.submit(user);
    const twin = `${id.slice(0, 13)}${id[13] === '-' ? id.slice(13, 35) : ''}${id.endsWith('0') ? '1' : '0'}`;
    await machine.sql`
      insert into mashup_jobs (id, user_id, songs, created_at)
      select ${twin}, user_id, songs, created_at - interval '1 hour' from mashup_jobs where id = ${id}`;
    for (const args of [['retry'], ['show'], ['cancel'], ['replay', '--from', 'planning']]) {
      const [command = '', ...rest] = args;
      const run = await cli(command, id.slice(0, 12), ...rest);
      assert.equal(run.code, 2, run.stderr);
      assert.match(run.stderr, /^2 job ids start with /);
      for (const match of [id, twin]) assert.ok(run.stderr.includes(match), run.stderr);
    }
    await machine.sql`delete from mashup_jobs where id = any (${[id, twin]})`;
  });

  test('migrate reports an up-to-date database, and an unreachable database prints one line', async () => {
    assert.match((await cli('migrate')).stdout, /Up to date/);
    const gone = await mashup(['jobs'], { DATABASE_URL: 'postgres://nobody@127.0.0.1:9/x' });
    assert.equal(gone.code, 1);
    assert.match(gone.stderr, /cannot be used: connect ECONNREFUSED 127\.0\.0\.1:9\. Check host and port/);
    const none = await mashup(['jobs', '--data-dir', '/nonexistent']);
    assert.match(none.stderr, /^There is no database: /);
    const notUrl = await mashup(['jobs'], { DATABASE_URL: 'nonsense' });
    assert.equal(notUrl.code, 2);
  });

  test('doctor reports failed checks with hints, and exits with an error', async () => {
    const run = await mashup(['doctor', '--json'], {
      DATABASE_URL: machine.url,
      SUPABASE_URL: 'http://127.0.0.1:9',
      SUPABASE_ANON_KEY: 'x',
      ANALYSIS_API_URL: 'http://127.0.0.1:9',
    });
    assert.equal(run.code, 1);
    const [line = ''] = run.stdout.split('\n');
    const { ok, findings } = JSON.parse(line) as {
      ok: boolean;
      findings: { name: string; ok: boolean; hint?: string }[];
    };
    assert.equal(ok, false);
    const found = Object.fromEntries(findings.map((finding) => [finding.name, finding]));
    for (const name of ['database', 'migrations', 'LISTEN', 'replication', 'bucket'])
      assert.equal(found[name]?.ok, true, name);
    assert.equal(found.auth?.ok, false);
    assert.equal(found.analysis?.ok, false);
    assert.match(found.analysis.hint ?? '', /ANALYSIS_API_URL/);
  });
});
