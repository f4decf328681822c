import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { mashup } from './cli.ts';

const folder = await mkdtemp(join(tmpdir(), 'mashup-cli-'));
after(() => rm(folder, { recursive: true, force: true }));
const example = (name: string): string => join(import.meta.dirname, '../../examples', name);
const path = (name: string): string => join(folder, name);

/** Returns a 16-bit mono WAV file of a tone. */
function wav(seconds: number, level: number): Buffer {
  const rate = 8000;
  const samples = Math.round(seconds * rate);
  const file = Buffer.alloc(44 + samples * 2);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(36 + samples * 2, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(samples * 2, 40);
  for (let i = 0; i < samples; i++) file.writeInt16LE(Math.round(level * 32000 * Math.sin(i / 3)), 44 + i * 2);
  return file;
}

const good = example('neon-drive.mp3');
const other = example('paper-kites.mp3');
await Promise.all([
  writeFile(path('text.mp3'), 'This is a text that was given another name. '.repeat(500)),
  writeFile(path('picture.png'), Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')),
  writeFile(path('empty.mp3'), ''),
  writeFile(path('silent.wav'), wav(8, 0)),
  writeFile(path('short.wav'), wav(2, 0.5)),
  writeFile(path('huge.mp3'), '').then(() => truncate(path('huge.mp3'), 51 * 2 ** 20)),
  copyFile(good, path('copy.mp3')),
  mkdir(path('folder.wav')),
  writeFile(path('cut.wav'), wav(8, 0.5).subarray(0, 60_000)),
]);

const cases: [name: string, args: string[], code: string, line: RegExp][] = [
  ['one song', [good], 'too_few_songs', /^A mashup needs two or three songs; one given\. Add another song\.$/],
  ['four songs', [good, other, good, other], 'too_many_songs', /at most three songs; 4 given\. Remove one\.$/],
  ['the same song twice', [good, good], 'same_song_twice', /^neon-drive\.mp3 is given twice\. Choose two/],
  ['a copy of the same song', [good, path('copy.mp3')], 'same_song_twice', /are the same recording\. Choose two/],
  [
    'a missing file',
    [good, path('nothing.mp3')],
    'file_missing',
    /^There is no file .*nothing\.mp3\. Check the path\.$/,
  ],
  ['a folder without stems', [good, path('folder.wav')], 'bad_stems', /folder\.wav has no stems\. Name the files/],
  [
    'a picture',
    [good, path('picture.png')],
    'audio_unsupported_format',
    /^picture\.png is not a supported audio file\. Use one of these: MP3/,
  ],
  [
    'a text renamed .mp3',
    [good, path('text.mp3')],
    'audio_unsupported_format',
    /^text\.mp3 is not a supported audio file\. Use one of these: MP3/,
  ],
  ['an empty file', [good, path('empty.mp3')], 'audio_empty', /^empty\.mp3 is empty\. Export/],
  ['a file over 50 MB', [good, path('huge.mp3')], 'audio_too_large', /^huge\.mp3 is 51 MB; at most 50 MB .*Convert/],
  ['a truncated WAV', [good, path('cut.wav')], 'audio_truncated', /^cut\.wav: The file is incomplete.*complete file/],
  ['silence', [good, path('silent.wav')], 'audio_silent', /^silent\.wav: The file is silent\. Choose/],
  ['two seconds', [good, path('short.wav')], 'audio_too_short', /^short\.wav: The song is 2\.0 s long\. .*Choose/],
  [
    'no length',
    [good, other, '--length', 'long'],
    'bad_option',
    /^--length must be short, full, or a length from 0:20 to 10:00, such as 1:45 or 105\./,
  ],
  ...['0:19', '10:01', '1:75'].map((length): [string, string[], string, RegExp] => [
    `a length of ${length}`,
    [good, other, '--length', length],
    'bad_option',
    /^--length must be /,
  ]),
  [
    'no separator',
    [good, other, '--separation', 'best'],
    'bad_option',
    /^--separation cannot be "best"\. Choose one of auto, classical, neural\.$/,
  ],
  ['too long wishes', [good, other, '--wishes', 'x'.repeat(501)], 'bad_option', /^--wishes must have at most 500/],
];

describe('mashup make, before anything is started', () => {
  for (const [name, args, code, line] of cases) {
    test(`refuses ${name} in one line, with exit code 2`, async () => {
      const out = path('out.wav');
      const run = await mashup(['make', ...args, '--out', out, '--json', '--data-dir', path('data')]);
      assert.equal(run.code, 2, run.stderr);
      assert.match(run.stderr.trim(), line);
      assert.equal(run.stderr.trim().split('\n').length, 1, run.stderr);
      const last = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '') as Record<string, string>;
      assert.equal(last.type, 'error');
      assert.equal(last.code, code);
      assert.ok(last.error && last.hint);
      assert.equal(existsSync(out), false);
      assert.equal(existsSync(path('data')), false, 'no stack was started');
    });
  }

  test('refuses an output with an unknown format or a path that is not writable', async () => {
    const outputs: [out: string, line: RegExp][] = [
      [path('out.aiff'), /has no extension of a known format\. End the name with \.wav, \.flac or \.mp3\.$/],
      [path('nowhere/out.wav'), /^There is no folder .*nowhere\. Create it/],
      [path('folder.wav'), /is a folder\. Give the path of a file\.$/],
    ];
    for (const [out, line] of outputs) {
      const run = await mashup(['make', good, other, '--out', out]);
      assert.equal(run.code, 2);
      assert.match(run.stderr.trim(), line);
    }
  });

  test('names missing arguments and environment variables', async () => {
    const without = await mashup(['replay', 'x']);
    assert.equal(without.code, 2);
    assert.match(without.stderr, /--from <stage>' not specified\. See `mashup replay --help`/);
    const keyless = await mashup(['make', good, other, '--out', path('o.wav')], { SUPABASE_URL: 'http://127.0.0.1:9' });
    assert.equal(keyless.code, 2);
    assert.match(keyless.stderr, /neither SUPABASE_PUBLISHABLE_KEY nor SUPABASE_ANON_KEY/);
    const gone = await mashup(['make', good, other, '--out', path('o.wav')], {
      SUPABASE_URL: 'http://127.0.0.1:9',
      SUPABASE_ANON_KEY: 'x',
    });
    assert.equal(gone.code, 1);
    assert.equal(gone.stderr.trim().split('\n').length, 1, gone.stderr);
    const unknown = await mashup(['bake']);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /^Unknown command 'bake' \(Did you mean make\?\)\. See `mashup --help`\.$/m);
  });
});
