/** The studio's state on a project that refuses anonymous sign-ins, as new hosted projects do. */
import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import { createSessionStore } from '../../packages/react/state/session.ts';
import { createSongSelection } from '../../packages/react/state/song-selection.ts';
import type { Upload } from '../../packages/react/state/uploads.ts';
import { useGateway } from '../support/gateway.ts';
import { useDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import '../support/short-timers.ts';

const { url, keys } = await useGateway({ after }, await useDatabase({ after }), { anonymousUsers: false });

it('a song that is selected without a session waits for the sign-in, and continues by itself', async () => {
  const supabase = createClient(url, keys.publishableKey, { auth: { persistSession: false, autoRefreshToken: false } });
  const session = createSessionStore(supabase);
  const selection = createSongSelection(supabase, session);
  const upload = (): Upload | undefined => selection.get().uploads.get('song-1');
  selection.select([{ id: 'song-1', name: 'Song', artist: '', storage_path: 'uploads/user/song-1/song.mp3' }]);
  await until('the upload is refused', () => upload()?.problem !== undefined);
  assert.equal(upload()?.problem?.message, 'This studio needs an account.');
  assert.match(upload()?.problem?.hint ?? '', /Sign in or create one/);
  assert.equal(session.get().isGuestAllowed, false);
  const { error } = await supabase.auth.signUp({ email: 'new@example.test', password: 'correct horse' });
  assert.equal(error, null);
  await until('the upload is done', () => upload()?.submitted !== undefined);
  assert.equal(upload()?.problem, undefined);
  selection.select([]);
});
