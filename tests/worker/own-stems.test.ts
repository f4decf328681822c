/** What the worker makes of the stems that a user gave with a song. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OwnStem } from '../../schema.ts';
import { analyzeFile } from '../../services/analysis/analyze-file.ts';
import { sumOfFiles } from '../../services/analysis/sum-of-files.ts';
import { TaskError } from '../../worker/errors.ts';
import { contentOfStems, hashOfFiles, isOwnModel, partsOfSong, requireOwnModel } from '../../worker/tasks/own-stems.ts';
import type { GivenStems } from '../../worker/tasks/own-stems.ts';
import { mixOf, moved, songStems, wavOf } from '../services/own-stems-songs.ts';

const given = (stems: OwnStem[], hasSong = false): GivenStems => ({
  files: stems.map((stem) => [stem, `${stem}.wav`]),
  hasSong,
});

describe('a song that is given by its stems', () => {
  it('is their sum, in which the parts of an instrumental are not heard twice', () => {
    assert.deepEqual(partsOfSong(given(['vocals', 'drums', 'bass'])), ['vocals.wav', 'drums.wav', 'bass.wav']);
    assert.deepEqual(partsOfSong(given(['vocals', 'drums', 'instrumental'])), ['vocals.wav', 'instrumental.wav']);
  });

  it('is an a cappella or an instrumental without regard to its name', () => {
    assert.equal(contentOfStems(given(['vocals'])), 'acapella');
    assert.equal(contentOfStems(given(['instrumental'])), 'instrumental');
    assert.equal(contentOfStems(given(['drums', 'other'])), 'instrumental');
    assert.equal(contentOfStems(given(['vocals', 'drums'])), undefined);
    assert.equal(contentOfStems(given(['vocals'], true)), undefined);
  });

  it('is analysed as the sum of its files, as long as the longest', async () => {
    const stems = songStems(1);
    const files = [stems.vocals, stems.drums, stems.other, moved(stems.bass, 0, 44_100 * 5)].map((sound) =>
      wavOf(sound),
    );
    const [sum, whole] = await Promise.all([
      sumOfFiles(files).then((bytes) => analyzeFile(bytes)),
      analyzeFile(wavOf(mixOf(stems))),
    ]);
    assert.equal(sum.duration_sec, whole.duration_sec);
    assert.equal(sum.harmonic.key, whole.harmonic.key);
    assert.ok(Math.abs(sum.loudness!.integrated_lufs - whole.loudness!.integrated_lufs) < 0.2);
  });
});

describe('the cache', () => {
  it('tells songs with other stems apart', () => {
    const hashes = [
      hashOfFiles([
        ['song', 'a'],
        ['vocals', 'b'],
      ]),
      hashOfFiles([
        ['song', 'a'],
        ['drums', 'b'],
      ]),
      hashOfFiles([
        ['song', 'a'],
        ['vocals', 'c'],
      ]),
      hashOfFiles([['vocals', 'b']]),
    ];
    assert.equal(new Set(hashes).size, hashes.length);
  });
});

describe('a separation service', () => {
  it('that has not used the stems is an error', () => {
    for (const model of ['own', 'own+dsp-4', 'own+htdemucs-da9e5101']) assert.ok(isOwnModel(model), model);
    assert.throws(
      () => requireOwnModel('htdemucs'),
      (error) =>
        error instanceof TaskError && error.code === 'own_stems_unsupported' && error.faultClass === 'permanent',
    );
  });
});
