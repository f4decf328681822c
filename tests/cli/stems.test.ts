/** What `mashup stems` checks before it does any work. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeFolder } from '../../cli/download.ts';
import { mashup } from './cli.ts';

describe('arguments of `mashup stems`', () => {
  for (const id of ['', '0', 'abcdefg', '12345678%', 'My mashup']) {
    it(`refuses "${id}" as an id before a stack is started`, async () => {
      const { code, stderr } = await mashup(['stems', id, '--data-dir', join(tmpdir(), 'no-stack-here')]);
      assert.equal(code, 2);
      assert.match(stderr, /^".*" is not a job id\. Give the id, or at least its first eight characters/);
    });
  }
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
