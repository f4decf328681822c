import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { readWishes } from '../../music/wishes/read-wishes.ts';
import { plainWish, withoutWish } from '../../music/wishes/remove-wish.ts';
import { FURTHER_PHRASINGS } from './further-phrasings.ts';
import { SEEN_PHRASINGS } from './seen-phrasings.ts';
import { UNSEEN_PHRASINGS } from './unseen-phrasings.ts';

const TABLES = [...SEEN_PHRASINGS, ...UNSEEN_PHRASINGS, ...FURTHER_PHRASINGS];
const textsOf = (wishes: readonly unknown[]): string[] => wishes.map((wish) => JSON.stringify(wish)).sort();

test('every wish of the tables is read back from its plain words', () => {
  for (const { wishes, songs } of TABLES)
    for (const wish of wishes) {
      const text = plainWish(wish, songs);
      assert.deepEqual(readWishes(text, songs), { understood: [wish], not_understood: [] }, text);
    }
});

test('a wish that is removed is not read from the new text, and all others are', () => {
  for (const { text, songs } of TABLES) {
    const { understood, not_understood } = readWishes(text, songs);
    for (const wish of understood) {
      const changed = withoutWish(text, wish, songs);
      const after = readWishes(changed, songs);
      const others = understood.filter((each) => each !== wish);
      assert.deepEqual(textsOf(after.understood), textsOf(others), `${text} -> ${changed}`);
      assert.deepEqual(after.not_understood, not_understood, `${text} -> ${changed}`);
    }
  }
});

test('the other words stay as they were written where they can', () => {
  const [first] = FURTHER_PHRASINGS;
  const songs = first?.songs ?? [];
  const without = (text: string, at: number): string =>
    withoutWish(text, readWishes(text, songs).understood[at]!, songs);
  assert.equal(without('Please make it faster, with LESS bass!', 0), 'LESS bass!');
  assert.equal(without('a quiet start and no reverb, add a saxophone', 1), 'a quiet start, add a saxophone');
  assert.equal(without('Beyoncé sings over Clocks', 3), 'vocals from song 1. drums from song 2. bass from song 2');
});
