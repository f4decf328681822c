import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Wish } from '../../schema.ts';
import { SEEN_PHRASINGS } from './seen-phrasings.ts';
import { UNSEEN_PHRASINGS } from './unseen-phrasings.ts';

for (const [name, table] of Object.entries({ seen: SEEN_PHRASINGS, unseen: UNSEEN_PHRASINGS })) {
  test(`the ${name} table has 100 different phrasings whose wishes are valid`, () => {
    assert.equal(new Set(table.map(({ text }) => text)).size, 100);
    for (const { songs, text, wishes, quoted = [] } of table) {
      const ids = songs.map(({ song_id }) => song_id);
      for (const wish of wishes) {
        assert.deepEqual(Wish.parse(wish), wish, text);
        assert.ok(!('song_id' in wish) || ids.includes(wish.song_id ?? ''), text);
      }
      for (const part of quoted) assert.ok(text.includes(part), text);
      assert.ok(wishes.length + quoted.length > 0, text);
    }
  });
}
