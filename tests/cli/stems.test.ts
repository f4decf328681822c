/** What `mashup stems` checks before it does any work. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import { makeFolder } from '../../cli/output-file.ts';
import { mashup } from './cli.ts';

test('what is no id is refused before a stack is started', async () => {
  const { code, stderr } = await mashup(['stems', 'My mashup', '--data-dir', join(tmpdir(), 'no-stack-here')]);
  assert.equal(code, 2);
  assert.match(stderr, /^"My mashup" is not a job id\. Give the id, at least its first 4 characters, or `last`/);
});

describe('folder for stems', () => {
  let dir = '';
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'stems-'));
    await writeFile(join(dir, 'file'), '');
  });
  after(() => rm(dir, { recursive: true, force: true }));

  it('is created with the folders above it, and taken if it exists', async () => {
    const path = join(dir, 'a', 'b');
    assert.equal(await makeFolder(path), path);
    assert.equal(await makeFolder(path), path);
    assert.ok((await stat(path)).isDirectory());
  });

  for (const out of ['file', 'file/below'])
    it(`is refused if ${out} is no folder`, async () => {
      await assert.rejects(makeFolder(join(dir, out)), {
        code: 'bad_output',
        message: `${join(dir, out)} is not a folder.`,
        hint: 'Give the path of a folder.',
      });
    });

  it('is refused where none can be created', async () => {
    await assert.rejects(makeFolder(join(dir, 'x'.repeat(300))), { code: 'bad_output', hint: 'Choose another one.' });
  });
});
