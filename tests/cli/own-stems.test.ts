/** Which files `mashup make` takes as which stems of which song. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findSongFiles, readStems } from '../../cli/own-stems.ts';
import type { SongFiles, StemOptions } from '../../cli/own-stems.ts';
import { CliError } from '../../cli/errors.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { stemOfName } from '../../music/theory/stem-names.ts';

describe('names of stem packs', () => {
  const names: [ReturnType<typeof stemOfName>, string[]][] = [
    [
      'vocals',
      [
        'vocals.wav',
        'Halo (Acapella).mp3',
        'Halo Acappella.wav',
        '01_Lead Vox.flac',
        'VOCAL STEM.aif',
        'bassist_vocals.wav',
        'Song-LeadVocals.wav',
      ],
    ],
    [
      'instrumental',
      [
        'Halo (Instrumental).mp3',
        'Halo Inst.wav',
        'no_vocals.wav',
        'Halo - No Vox.wav',
        'Karaoke.mp3',
        'minus one.wav',
      ],
    ],
    ['drums', ['Drums.wav', 'Drum Loop.wav', '03 Percussion.wav', 'Bass Drum.wav']],
    ['bass', ['Bass.wav', 'Sub Bass.wav', 'Song_Bassline.flac', '808.wav', 'Vox Machina - Bass.wav']],
    ['other', ['other.wav', 'Synths.wav', 'Guitars.wav', 'Piano.wav', 'Halo_Synth-Lead.wav']],
    ['song', ['mixture.wav', 'Full Mix.wav', 'Halo (Master).wav', 'original.mp3']],
    [undefined, ['Halo.wav', '01.wav', 'Basement.mp3', 'Drumming.mp3']],
  ];
  for (const [stem, files] of names) {
    it(`${files.join(', ')}: ${stem ?? 'nothing'}`, () => {
      for (const file of files) assert.equal(stemOfName(file), stem, file);
    });
  }
});

describe('files of a command', () => {
  let dir = '';
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'own-stems-'));
    const files = [
      'a.mp3',
      'b.mp3',
      'b-acapella.wav',
      'pack/Vox.wav',
      'pack/Drums.wav',
      'pack/notes.txt',
      'pack/Take 7.wav',
      'twice/Synth.wav',
      'twice/Piano.wav',
      'mix/Full Mix.wav',
      'mix/Bass.wav',
      'empty/x.wav',
      'only-mix/Full Mix.wav',
      'two-mixes/Full Mix.wav',
      'two-mixes/Master.wav',
      'two-mixes/Bass.wav',
    ];
    for (const file of files) {
      await mkdir(join(dir, file, '..'), { recursive: true });
      await writeFile(join(dir, file), '');
    }
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const find = async (songs: string[], options: StemOptions = {}): Promise<{ found: SongFiles[]; lines: string[] }> => {
    const lines: string[] = [];
    const found = await findSongFiles(
      songs.map((song) => join(dir, song)),
      options,
      (line) => lines.push(line),
    );
    return { found, lines };
  };
  const namesOf = ({ song, stems }: SongFiles): unknown[] => [
    song?.slice(dir.length + 1),
    Object.fromEntries([...stems].map(([stem, path]) => [stem, path.slice(dir.length + 1)])),
  ];

  it('takes a folder in place of a song as its stems, and says what is taken as what', async () => {
    const { found, lines } = await find(['a.mp3', 'pack', 'mix']);
    assert.deepEqual(found.map(namesOf), [
      ['a.mp3', {}],
      [undefined, { drums: 'pack/Drums.wav', vocals: 'pack/Vox.wav' }],
      ['mix/Full Mix.wav', { bass: 'mix/Bass.wav' }],
    ]);
    assert.match(lines[0]!, /Drums\.wav as drums, Vox\.wav as vocals/);
    assert.match(lines[1]!, /Not used, .*: Take 7\.wav/);
    assert.match(lines[2]!, /Full Mix\.wav as the full mix/);
  });

  it('takes files and folders for a song by its number, its file name or its path', async () => {
    const vocals = join(dir, 'b-acapella.wav');
    for (const name of ['2', 'b', 'b.mp3', join(dir, 'b.mp3')]) {
      const { found } = await find(['a.mp3', 'b.mp3'], {
        vocals: [`${name}=${vocals}`],
        stems: [`a=${join(dir, 'mix')}`],
      });
      assert.deepEqual(found.map(namesOf), [
        ['a.mp3', { bass: 'mix/Bass.wav' }],
        ['b.mp3', { vocals: 'b-acapella.wav' }],
      ]);
    }
  });

  it('says that the full mixes in a folder of stems are not used for a song that has its file', async () => {
    const { found, lines } = await find(['a.mp3', 'b.mp3'], { stems: [`1=${join(dir, 'two-mixes')}`] });
    assert.deepEqual(found.map(namesOf), [
      ['a.mp3', { bass: 'two-mixes/Bass.wav' }],
      ['b.mp3', {}],
    ]);
    assert.match(lines[0]!, /: Bass\.wav as bass$/);
    assert.match(lines[1]!, /^Not used, .* full mix .*: Full Mix\.wav, Master\.wav$/);
  });

  it('names the files of stems by their content, and refuses what is not audio', async () => {
    const path = join(dir, 'take.1');
    await writeFile(path, encodeWav16([new Float32Array(100)], 44_100));
    const [stem] = await readStems(new Map([['vocals', path]]));
    assert.deepEqual([stem?.stem, stem?.fileName, stem?.contentType], ['vocals', 'take.wav', 'audio/wav']);
    await writeFile(path, 'no sound at all, but words');
    await assert.rejects(readStems(new Map([['vocals', path]])), { code: 'audio_unsupported_format' });
  });

  const refusals: [string, string[], (dir: string) => StemOptions, RegExp][] = [
    [
      'a song that is not there',
      ['a.mp3', 'b.mp3'],
      () => ({ vocals: ['3=x.wav'] }),
      /--vocals 3=x\.wav does not say for which song/,
    ],
    ['no song', ['a.mp3', 'b.mp3'], () => ({ stems: ['pack'] }), /--stems pack does not say for which song/],
    ['two files for one stem', ['a.mp3', 'twice'], () => ({}), /Piano\.wav and Synth\.wav are both instruments/],
    ['a folder without stems', ['a.mp3', 'empty'], () => ({}), /has no stems/],
    [
      'a folder without stems for a song',
      ['a.mp3', 'b.mp3'],
      (root) => ({ stems: [`1=${join(root, 'only-mix')}`] }),
      /has no stems/,
    ],
    [
      'two full mixes',
      ['a.mp3', 'two-mixes'],
      () => ({}),
      /Full Mix\.wav and Master\.wav are all named as the full mix/,
    ],
    ['a file as a folder', ['a.mp3', 'b.mp3'], (root) => ({ stems: [`1=${join(root, 'b.mp3')}`] }), /is not a folder/],
  ];
  for (const [what, songs, options, message] of refusals) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(find(songs, options(dir)), (error) => {
        assert.ok(error instanceof CliError);
        assert.equal(error.code, 'bad_stems');
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
