import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Wish } from '../../schema.ts';
import { FURTHER_PHRASINGS } from './further-phrasings.ts';
import { HELD_BACK_PHRASINGS } from './held-back-phrasings.ts';
import { LATER_PHRASINGS } from './later-phrasings.ts';
import { SEEN_PHRASINGS } from './seen-phrasings.ts';
import { TYPED_PHRASINGS } from './typed-phrasings.ts';
import { UNSEEN_PHRASINGS } from './unseen-phrasings.ts';

const TABLES = {
  seen: SEEN_PHRASINGS,
  unseen: UNSEEN_PHRASINGS,
  further: FURTHER_PHRASINGS,
  typed: TYPED_PHRASINGS,
  'held back': HELD_BACK_PHRASINGS,
  later: LATER_PHRASINGS,
};

for (const [name, table] of Object.entries(TABLES)) {
  test(`the ${name} table has different phrasings whose wishes are valid`, () => {
    assert.equal(new Set(table.map(({ text }) => text)).size, table.length);
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
