/** How the files of a user are laid over their song, and which ones are refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Resampler } from '../../audio/time/resample.ts';
import { AudioError } from '../../audio/errors.ts';
import { AlignedFile } from '../../services/separation/own-stems/aligned-file.ts';
import { fitFile, unify } from '../../services/separation/own-stems/fit.ts';
import type { Fit } from '../../services/separation/own-stems/fit.ts';
import { readSound } from '../../services/separation/own-stems/sound.ts';
import type { OwnStem } from '../../schema.ts';
import { amplified, atSpeed, errorDb, mix, mixOf, moved, songStems } from './own-stems-songs.ts';
import type { Sound } from './own-stems-songs.ts';

async function* chunksOf(sound: Sound): AsyncGenerator<Sound> {
  yield sound;
}

const stems = songStems(1);
const song = mixOf(stems);
const heard = await readSound(chunksOf(song));
const fit = async (sound: Sound, stem: OwnStem = 'vocals'): Promise<Fit> =>
  fitFile(heard, await readSound(chunksOf(sound)), stem);
const decibels = (gain: number): number => 20 * Math.log10(gain);

/** The samples of a sound as they are laid over the song. */
const laid = (sound: Sound, placement: Fit): Promise<Sound> =>
  new AlignedFile(chunksOf(sound), placement).read(song[0].length) as Promise<Sound>;

describe('a file of the recording of the song', () => {
  for (const [stem, sound] of Object.entries(stems) as [OwnStem, Sound][]) {
    it(`lies where it is: ${stem}`, async () => {
      const found = await fit(sound, stem);
      assert.equal(found.canSubtract, true);
      assert.ok(Math.abs(found.shift) < 1, `shift ${found.shift}`);
      assert.ok(Math.abs(decibels(found.gain)) < 0.5, `gain ${decibels(found.gain)} dB`);
    });
  }

  // The delay of an MP3 encoder, a rest that was cut, and a rest that was added.
  for (const shift of [-1105, 44_100 * 2 + 77, -44_100 * 2.5]) {
    it(`is moved by ${shift} samples, and amplified`, async () => {
      const sound = amplified(moved(stems.vocals, shift), 0.5);
      const found = await fit(sound);
      assert.ok(Math.abs(found.shift + shift) < 0.1, `shift ${found.shift}`);
      assert.ok(Math.abs(decibels(found.gain) - decibels(2)) < 0.4, `gain ${decibels(found.gain)} dB`);
      const expected = moved(moved(stems.vocals, shift), -shift);
      assert.ok(errorDb(expected, await laid(sound, found)) < -25);
    });
  }

  it('is moved by a part of a sample', async () => {
    const half = moved(stems.vocals, 0).map((channel) =>
      channel.map((value, i) => (value + (channel[i - 1] ?? 0)) / 2),
    );
    const found = await fit(half as Sound);
    assert.ok(Math.abs(found.shift + 0.5) < 0.1, `shift ${found.shift}`);
    assert.ok(errorDb(stems.vocals, await laid(half as Sound, found)) < -20);
  });

  it('is found at another sampling rate', async () => {
    const there = new Resampler(44_100, 48_000);
    const back = new Resampler(48_000, 44_100);
    const [left] = stems.vocals;
    const at48 = [there.push(left), there.flush()];
    const parts = [...at48.map((part) => back.push(part)), back.flush()];
    const again = Float32Array.from(parts.flatMap((part) => [...part]));
    const found = await fit([again, again]);
    assert.ok(Math.abs(found.shift) < 0.1, `shift ${found.shift}`);
  });

  it('may be a part of it', async () => {
    const part = moved(stems.vocals, -44_100, 44_100 * 5);
    assert.ok(Math.abs((await fit(part)).shift - 44_100) < 1);
  });

  it('is not subtracted if the song was equalized and limited since', async () => {
    const master = song.map((channel) =>
      channel.map((value, i) => Math.tanh(10 * (value - 0.9 * (channel[i - 1] ?? 0)))),
    ) as Sound;
    const sound = await readSound(chunksOf(stems.vocals));
    const found = await fitFile(await readSound(chunksOf(master)), sound, 'vocals');
    assert.ok(found.strength > 0);
    assert.equal(found.canSubtract, false);
  });

  it('has the shift and the level of the others if they are nearly the same', () => {
    const fits = new Map<OwnStem, Fit>([
      ['drums', { shift: 100.02, gain: 2, strength: 400, canSubtract: true }],
      ['bass', { shift: 101.3, gain: 2.1, strength: 40, canSubtract: true }],
      ['vocals', { shift: 500, gain: 1.01, strength: 90, canSubtract: true }],
    ]);
    unify(fits);
    const { shift, gain } = fits.get('bass')!;
    assert.deepEqual([shift, gain], [100.02, 2]);
    assert.equal(fits.get('vocals')!.shift, 500);
    assert.equal(fits.get('vocals')!.gain, 1);
  });
});

it('another recording in time with the song is used as it is', async () => {
  const found = await fit(songStems(5).vocals);
  assert.deepEqual([found.strength, found.gain, found.canSubtract], [0, 1, false]);
});

describe('a file that does not belong to the song is refused', () => {
  const stranger = songStems(7, 1.23);
  const cases: [string, Sound, OwnStem, RegExp][] = [
    ['vocals of another song', stranger.vocals, 'vocals', /given as vocals is of another song/],
    ['another song', mixOf(stranger), 'instrumental', /given as instrumental is of another song/],
    ['drums at another speed', atSpeed(stems.drums, 1.03), 'drums', /given as drums plays about 3\.0 % faster/],
    [
      'the rest of the song at another speed',
      atSpeed(mix(stems.drums, stems.other), 0.96),
      'instrumental',
      /given as instrumental plays about 4\.0 % slower/,
    ],
    [
      'a sound of another length',
      moved(stranger.bass, 0, 44_100 * 30),
      'bass',
      /given as bass is 0:30 min long and the song 0:07 min/,
    ],
  ];
  for (const [what, sound, stem, message] of cases) {
    it(what, async () => {
      await assert.rejects(fit(sound, stem), (error: AudioError) => {
        assert.equal(error.code, 'own_stems_mismatch');
        assert.match(error.message, message);
        assert.match(error.hint, /leave the file out/);
        return true;
      });
    });
  }
});
