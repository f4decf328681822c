import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePath } from '../../cli/output-file.ts';
import { sanitize } from '../../cli/output.ts';

test('control sequences in a name are removed, and colours are kept', () => {
  const hostile = '\u001b]0;owned\u0007Song\u001b[2J\u001b[H\r\u009b31mX\u001b[1mbold\u001b[22m';
  const shown = sanitize(hostile);
  assert.equal(shown, ']0;ownedSong[2J[H31mX\u001b[1mbold\u001b[22m');
});

test('the default output file is one that does not exist', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mashup-names-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const name of ['mashup.wav', 'mashup-2.wav', 'mashup-3.wav']) {
    const path = await freePath(folder);
    assert.equal(path, join(folder, name));
    await writeFile(path, '');
  }
});
