/** Where commands write: what is refused before the work, and what is never lost. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { save } from '../../cli/download.ts';
import { checkTarget, fitExtension, freePath, mayOverwrite } from '../../cli/output-file.ts';

const { signal } = new AbortController();
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

describe('output files', async () => {
  const root = await mkdtemp(join(tmpdir(), 'mashup-output-'));
  after(() => rm(root, { recursive: true, force: true }));
  let dir = '';
  let taken = '';
  beforeEach(async () => {
    dir = await mkdtemp(join(root, 'case-'));
    taken = join(dir, 'taken.wav');
    await writeFile(taken, 'old');
  });

  it('are not overwritten without a terminal, unless --force says so', async () => {
    const refused = { code: 'output_exists', exitCode: 2, hint: /--out, or overwrite it with --force\.$/ };
    await assert.rejects(checkTarget(taken), refused);
    await assert.rejects(checkTarget(taken, { json: true }), refused);
    assert.equal((await checkTarget(taken, { force: true })).mayOverwrite, true);
    assert.equal((await checkTarget(join(dir, 'new.wav'))).mayOverwrite, false);
    await assert.rejects(mayOverwrite([taken, join(dir, 'new.wav'), dir], {}), { message: /^2 of the files exist/ });
  });

  it('are refused without a known extension, where there is no folder, and if they are a folder', async () => {
    await mkdir(join(dir, 'folder.wav'));
    const cases: [string, RegExp][] = [
      ['song', /^song has no extension of a known format\.$/],
      ['song.aiff', /^song\.aiff has no extension/],
      ['no/song.wav', /^There is no folder .*no\.$/],
      ['taken.wav/song.wav', /^The folder .*taken\.wav is not writable\.$/],
      ['folder.wav', /is a folder\.$/],
      [`${'x'.repeat(250)}.wav`, /is too long\.$/],
    ];
    for (const [out, message] of cases)
      await assert.rejects(checkTarget(join(dir, out), { force: true }), { code: 'bad_output', exitCode: 2, message });
  });

  it('that appear during the work are kept, and the result goes beside them', async () => {
    assert.equal(await save(text('new'), { path: taken, mayOverwrite: false }, signal), join(dir, 'taken-2.wav'));
    assert.equal(await readFile(taken, 'utf8'), 'old');
    assert.equal(await save(text('new'), { path: taken, mayOverwrite: true }, signal), taken);
    assert.equal(await readFile(taken, 'utf8'), 'new');
    assert.deepEqual((await readdir(dir)).sort(), ['taken-2.wav', 'taken.wav']);
  });

  it('of another format than asked for overwrite nothing', async () => {
    const target = await checkTarget(join(dir, 'taken.mp3'), { force: true });
    const fitted = fitExtension(target, 'wav');
    assert.deepEqual([fitted.path, fitted.mayOverwrite], [taken, false]);
    assert.equal(fitExtension(target, 'mp3'), target);
  });

  it('that cannot be written are a typed error, and leave no draft', async () => {
    await assert.rejects(save(text('new'), { path: join(dir, 'gone/x.wav'), mayOverwrite: false }, signal), {
      code: 'output_not_written',
      message: /x\.wav cannot be written: its folder is gone\.$/,
    });
    await assert.rejects(save(text('x'), { path: join(dir, `${'x'.repeat(250)}.wav`), mayOverwrite: true }, signal), {
      code: 'output_not_written',
    });
    assert.deepEqual(await readdir(dir), ['taken.wav']);
  });

  it('have numbers by default', async () => {
    assert.equal(await freePath(dir, 'taken.wav'), join(dir, 'taken-2.wav'));
    assert.equal(await freePath(dir, 'v1.2 mix.mp3'), join(dir, 'v1.2 mix.mp3'));
  });
});

// In a terminal: `script` gives the command one.
const HAS_SCRIPT = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;

describe(
  'the question before an output file is overwritten',
  { skip: HAS_SCRIPT ? false : 'there is no `script`' },
  () => {
    for (const [answer, status, shown] of [
      ['n', 2, /Nothing was overwritten\. Choose another place with --out\./],
      ['y', 2, /There is no file nothing\.mp3/],
    ] as const)
      it(`is asked in a terminal, and answered with ${answer}`, async () => {
        const dir = await mkdtemp(join(tmpdir(), 'mashup-question-'));
        after(() => rm(dir, { recursive: true, force: true }));
        await writeFile(join(dir, 'taken.wav'), 'old');
        const main = join(import.meta.dirname, '../../cli/main.ts');
        const command = `"${process.execPath}" "${main}" make nothing.mp3 none.mp3 --out taken.wav`;
        const run = spawnSync('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
          cwd: dir,
          input: `${answer}\n`,
          encoding: 'utf8',
        });
        assert.match(run.stdout, /taken\.wav exists already\. Overwrite it\? \(y\/N\)/);
        assert.match(run.stdout, shown);
        assert.equal(run.status, status);
        assert.equal(await readFile(join(dir, 'taken.wav'), 'utf8'), 'old');
      });
  },
);
