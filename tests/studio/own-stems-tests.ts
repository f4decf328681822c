/** Tests of stems of one's own at the card of a song. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { pageFaults, WORK_MS } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

/** A short tone as a file. */
function tone(name: string, hertz: number): { name: string; mimeType: string; buffer: Buffer } {
  const samples = Float32Array.from({ length: 88_200 }, (_, i) => 0.3 * Math.sin((2 * Math.PI * hertz * i) / 44_100));
  return { name, mimeType: 'audio/wav', buffer: Buffer.from(encodeWav16([samples, samples], 44_100)) };
}

/** Tests of stems of one's own, in a page of their own. */
export function testOwnStems(fixture: () => StudioFixture): void {
  test('stems that are added to a song are recognised, can be changed and removed, and go with the song', async () => {
    const page = await fixture().stranger();
    const { sql } = fixture();
    await page.getByRole('button', { name: /^Slow Harbor/ }).click();
    const own = page.getByTestId('own-stems');
    await own.getByText('Add your own stems').click();
    await page
      .getByLabel('Stems of Slow Harbor')
      .setInputFiles([tone('Slow Harbor Vox.wav', 440), tone('Take 7.wav', 330), tone('Bass.wav', 110)]);
    const role = (name: string) => own.getByLabel(name, { exact: true });
    assert.equal(await role('Slow Harbor Vox.wav').inputValue(), 'vocals');
    assert.equal(await role('Bass.wav').inputValue(), 'bass');
    assert.equal(await role('Take 7.wav').inputValue(), '');
    await role('Take 7.wav').selectOption('bass');
    assert.match(await own.getByRole('alert').innerText(), /Two files are bass/);
    await role('Take 7.wav').selectOption('drums');
    await own.getByRole('button', { name: 'Remove Bass.wav' }).click();
    await own.getByRole('button', { name: 'Use these stems' }).click();
    const card = page.getByTestId('song-card');
    await card.getByTestId('track-analysis').waitFor({ timeout: WORK_MS });
    const given = sql<{ files: object }[]>`
      select o.files from public.mashup_jobs j, jsonb_array_elements(j.songs) s join mashup.own_stems o on o.id = (s ->> 'own_stems_id')::bigint
      where s ->> 'name' = 'Slow Harbor' and j.status = 'processing'`;
    const [row] = await given;
    assert.deepEqual(Object.keys(row?.files ?? {}).sort(), ['drums', 'vocals']);
    assert.match(await own.innerText(), /Your own stems \(2\)/);
    // Another file with the name of a used one is another stem.
    const use = own.getByRole('button', { name: 'Use these stems' });
    await own.getByRole('button', { name: 'Remove Slow Harbor Vox.wav' }).click();
    await own.getByRole('button', { name: 'Remove Take 7.wav' }).click();
    await page
      .getByLabel('Stems of Slow Harbor')
      .setInputFiles([tone('Slow Harbor Vox.wav', 550), tone('Take 7.wav', 220)]);
    await role('Take 7.wav').selectOption('drums');
    await use.click();
    await use.waitFor({ state: 'detached' });
    assert.deepEqual(await pageFaults(page), []);
    await page.context().close();
  });
}
