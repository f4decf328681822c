/** Log lines of the local stack, as `mashup logs` reads them from its files. */
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { logText } from '../../cli/logs/lines.ts';
import { StackLogs, toLine } from '../../cli/logs/stack-lines.ts';

const at = (second: number): string => `2026-11-30T13:20:0${second}.500Z`;

describe('logs of the local stack', () => {
  it('are read as JSON lines and as text', () => {
    const line = toLine(
      `${at(1)} {"level":"warn","time":"x","message":"slow","job":"7b7d","claim":"1","song":null}`,
      'worker',
    );
    assert.equal(logText(line), '13:20:01.500 worker       warn  slow job=7b7d');
    assert.deepEqual(toLine(`${at(2)} Error: no memory`, 'analysis'), {
      at: at(2),
      source: 'analysis',
      level: 'info',
      text: 'Error: no memory',
      fields: {},
    });
    assert.equal(toLine('no time', 'gateway').text, 'no time');
  });

  it('are merged by time, read on where they ended, and followed beyond a change of the file', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'mashup-logs-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const [worker, gateway] = [join(folder, 'worker.log'), join(folder, 'gateway.log')];
    await writeFile(worker, `${at(1)} one\n${at(3)} three\n${at(4)} fo`);
    await writeFile(gateway, `${at(2)} two\n`);
    await writeFile(join(folder, 'worker.log.1'), `${at(0)} old\n`);
    const texts = (lines: { text: string }[]): string[] => lines.map(({ text }) => text);
    const logs = new StackLogs(folder);
    assert.deepEqual(texts(await logs.read()), ['one', 'two', 'three']);
    await appendFile(worker, 'ur\n');
    assert.deepEqual(texts(await logs.read()), ['four']);
    assert.deepEqual(texts(await logs.read()), []);
    assert.deepEqual(texts(await new StackLogs(folder, 'gateway').read()), ['two']);

    const stop = new AbortController();
    const followed = logs.follow(stop.signal);
    const next = followed.next();
    await rename(worker, `${worker}.1`);
    await writeFile(worker, `${at(5)} five\n`);
    assert.equal((await next).value?.text, 'five');
    stop.abort();
    assert.equal((await followed.next()).done, true);
  });
});
