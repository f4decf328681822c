import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Claim } from '../../worker/database/database-api.ts';
import type { TaskLogLine } from '../../worker/database/task-logs-api.ts';
import { TaskLogs } from '../../worker/task-logs.ts';

const claimOf = (task: number): Claim => ({ task_id: String(task), claim: `claim-${task}` }) as Claim;

interface Setup {
  logs: TaskLogs;
  written: TaskLogLine[];
  answer: { accepts: boolean; fails: boolean };
  statements: number[];
}

function setUp(): Setup {
  const written: TaskLogLine[] = [];
  const statements: number[] = [];
  const answer = { accepts: true, fails: false };
  const logs = new TaskLogs((lines) => {
    if (answer.fails) return Promise.reject(new Error('the connection is lost'));
    if (!answer.accepts) return Promise.resolve(false);
    statements.push(lines.length);
    written.push(...lines);
    return Promise.resolve(true);
  });
  return { logs, written, answer, statements };
}

describe('the log lines of tasks', () => {
  it('are written together, in order, without secrets, paths and what their row says anyway', async () => {
    const { logs, written, statements } = setUp();
    const printed: string[] = [];
    const log = logs.logOf(claimOf(1), (level, message) => printed.push(`${level} ${message}`));
    log('warn', 'GET https://a.example/x?token=abcdef failed', {
      task: '1',
      claim: 'c',
      code: 'timeout',
      seconds: 1.5,
    });
    logs.add(claimOf(2), 'debug', 'read /home/someone/songs/mine.wav', {
      error: 'Bearer abcdefghijk',
      none: undefined,
    });
    await logs.flush();
    assert.deepEqual(statements, [2]);
    assert.deepEqual(
      written.map(({ task, level, line, fields }) => ({ task, level, line, fields })),
      [
        { task: '1', level: 'warn', line: 'GET https://a.example/x failed', fields: { code: 'timeout', seconds: 1.5 } },
        { task: '2', level: 'debug', line: 'read <path>', fields: { error: 'Bearer …' } },
      ],
    );
    assert.ok(written.every(({ age_sec }) => age_sec >= 0));
    assert.equal(printed.length, 1);
    await logs.flush();
    assert.deepEqual(statements, [2], 'nothing waits');
  });

  it('are dropped beyond a bound, which is said, and leave room for those of other tasks', async () => {
    const { logs, written } = setUp();
    for (let i = 0; i < 5_000; i += 1) logs.add(claimOf(1), 'debug', `line ${i}`);
    logs.add(claimOf(2), 'info', 'of another task');
    await logs.flush();
    const ofFirst = written.filter(({ task }) => task === '1');
    const notes = ofFirst.filter(({ fields }) => fields.dropped !== undefined);
    assert.equal(ofFirst.length - notes.length + Number(notes[0]?.fields.dropped), 5_000);
    assert.match(notes[0]?.line ?? '', /lines of the log of this task were dropped/);
    assert.ok(written.some(({ line }) => line === 'of another task'));
  });

  it('wait while the database is away or does not know the worker, up to a bound', async () => {
    const { logs, written, answer } = setUp();
    answer.fails = true;
    logs.add(claimOf(1), 'info', 'first');
    await assert.rejects(logs.flush(), /connection is lost/);
    answer.fails = false;
    answer.accepts = false;
    await logs.flush();
    for (let task = 2; task < 5_000; task += 1) logs.add(claimOf(task), 'info', 'more');
    answer.accepts = true;
    await logs.flush();
    assert.equal(written[0]?.line, 'first');
    assert.ok(written.filter(({ line }) => line === 'more').length <= 2_000);
  });
});
