/** The client's calls for public links of mashups. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { MashupClientError, readShare, shareLinks, shareMashup, unshareMashup } from '@mashup-engine/client';
import { startFunctionsFixture } from '../functions/functions-fixture.ts';

const surface = await startFunctionsFixture({ after }, { functions: false });
const { machine } = surface;
const { sql } = machine;

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof MashupClientError ? error.code : String(error)),
  );

test('an owner makes, reads and revokes the link of a complete mashup', async () => {
  const { client, id: user } = await surface.visitor();
  const id = await machine.submit(user);
  assert.equal(await codeOf(shareMashup(client, id)), 'missing_input');
  await machine.run(await machine.worker());
  assert.equal(await readShare(client, id), null);
  const share = await shareMashup(client, id);
  assert.match(share.token, /^[\w-]{24}$/);
  assert.ok(Date.parse(share.createdAt) > 0);
  assert.deepEqual(await shareMashup(client, id), share);
  assert.deepEqual(await readShare(client, id), { ...share, reason: null });
  const stranger = await surface.visitor();
  assert.equal(await readShare(stranger.client, id), null);
  assert.equal(await codeOf(unshareMashup(stranger.client, id)), 'job_not_found');
  assert.deepEqual([await unshareMashup(client, id), await unshareMashup(client, id)], [true, false]);
  assert.equal(await readShare(client, id), null);

  await shareMashup(client, id);
  await sql`select mashup.take_down_share(${id}, 'Rights.')`;
  const { token, reason } = (await readShare(client, id)) ?? {};
  assert.deepEqual([token, reason], [null, 'Rights.']);
  assert.equal(await codeOf(shareMashup(client, id)), 'taken_down');
  await sql`update mashup.settings set value = 'false' where name = 'sharing_enabled'`;
  assert.equal(await codeOf(shareMashup(client, id)), 'sharing_disabled');
});

test('links are made from the address of a site', () => {
  const { page, embed, embedCode } = shareLinks('https://studio.example/mashups/', 'abc');
  assert.deepEqual([page, embed], ['https://studio.example/mashups/s/abc', 'https://studio.example/mashups/embed/abc']);
  assert.match(
    embedCode,
    /^<iframe src="https:\/\/studio\.example\/mashups\/embed\/abc" [^>]*title="[^"]+"[^>]*><\/iframe>$/,
  );
});
