/** Every example of wishes and feedback in the documents, the help of the commands and the page is understood whole. */
import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { SUGGESTIONS } from '../../packages/react/components/result/suggestions.ts';
import { readWishes } from '../../music/wishes/read-wishes.ts';

const ROOT = join(import.meta.dirname, '../..');
const FILES = [
  '*.md',
  '{docs,examples}/**/*.md',
  'packages/*/README.md',
  'cli/**/*.ts',
  'examples/*.ts',
  'packages/react/components/**/*.tsx',
];
/** Where an example stands: after a command or an option, in the table of options, as a member, or as a hint in a field. */
const EXAMPLES = [
  /mashup feedback \S+ (["'])(.+?)\1/g,
  /--wishes(?: TEXT` \|[^"\n]*`| )(["'])(.+?)\1/g,
  /\b(?:wishes|feedback)"?: (["'])(\w.+?)\1/g,
  /iterateMashup\([^)\n]*, (["'])(.+?)\1/g,
  /placeholder=(["'])(?:e\.g\. |In your own words: )(.+?)…?\1/g,
];
/** What "the first song's voice" and the like mean depends on the songs: both have a voice. */
const SONGS = [
  { song_id: 'a', name: 'Neon Drive', artist: '', has_vocals: true, bpm: 140, key: 'A# major' },
  { song_id: 'b', name: 'Paper Kites', artist: '', has_vocals: true, bpm: 120, key: 'G major' },
];

const examples = new Map(SUGGESTIONS.map((text) => [text, 'suggestions.ts']));
for await (const name of glob(FILES, { cwd: ROOT, exclude: (path) => path.includes('node_modules') })) {
  const text = await readFile(join(ROOT, name), 'utf8');
  for (const pattern of EXAMPLES) for (const match of text.matchAll(pattern)) examples.set(match[2] ?? '', name);
}

it('every example of wishes is understood whole', () => {
  const places = new Set(examples.values());
  for (const place of ['first-mashup.md', 'command-line.md', 'program.ts', 'WishForm.tsx', 'FeedbackForm.tsx'])
    assert.ok(
      [...places].some((name) => name.endsWith(place)),
      `no example is found in ${place}`,
    );
  for (const [text, name] of examples) {
    const { understood, not_understood } = readWishes(text, SONGS);
    assert.deepEqual(not_understood, [], `${name}: ${text}`);
    assert.ok(understood.length >= 1, `${name}: ${text}`);
  }
});
