/** Tests of the downloads of stems, on the page of a mashup whose stems are ready and whose mixer is closed before and after them. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { pageFaults } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

/** Tests of the page that is open. */
export function testStemDownloads(fixture: () => StudioFixture): void {
  test('stems are saved: all of them in a ZIP file, and one alone', async () => {
    const { page, shown } = fixture();
    await page.getByRole('button', { name: 'Open the mixer' }).click();
    const save = async (name: RegExp): Promise<{ name: string; bytes: Buffer }> => {
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        shown('stem-downloads').getByRole('button', { name }).click(),
      ]);
      return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
    };
    const zip = await save(/^All stems/);
    assert.match(zip.name, / stems\.zip$/);
    const names = zip.bytes.toString('latin1').match(/[12] [^/]+? - (Vocals|Drums)\.flac/g) ?? [];
    assert.equal(new Set(names).size, 3);
    await page.getByText('One stem').click();
    const one = await save(/Vocals$/);
    assert.match(one.name, /^1 .* - Vocals\.flac$/);
    assert.equal(one.bytes.toString('latin1', 0, 4), 'fLaC');
    assert.deepEqual(await pageFaults(page), []);
    await page.getByRole('button', { name: 'Close the mixer' }).click();
  });
}
