import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Stem } from '../../schema.ts';
import type { LayerSound } from '../../services/processing/measure/layer.ts';
import { giveOwnHarmony } from '../../services/processing/corrections/own-harmony.ts';
import type { RenderLayer, RenderPlan } from '../../services/processing/plan/plan.ts';
import type { RenderSong } from '../../services/processing/song/song.ts';

const ROWS = 40;
/** Pitch classes that sound in a layer; a voice and a bed of the same ones fit, others do not. */
const C_MAJOR = [0, 4, 7];
const F_SHARP_MAJOR = [6, 10, 1];

function sound(songId: string, stem: Stem, classes: readonly number[]): LayerSound {
  const pitches = Float32Array.from({ length: 12 * ROWS }, (_, i) => (classes.includes(i % 12) ? 1 : 0));
  const levels = new Float32Array(ROWS).fill(-12);
  return { songId, stem, percussion: undefined, pitches: stem === 'drums' ? undefined : pitches, levels, lowPower: 0 };
}

function layer(songId: string, stem: Stem, volumeDb = 0, free = false): RenderLayer {
  return { songId, stem, volumeDb, effects: [], sourceStartSec: songId === 'singer' ? 8 : 24, free };
}

/** What a section of these layers becomes, as song, stem, level and start; undefined where nothing is changed. */
function changed(layers: RenderLayer[], classes: Partial<Record<string, number[]>>): string[] | undefined {
  const section = { start: 0, end: 8, bpm: 120, description: '', energy: 1, layers };
  const plan: RenderPlan = { bpm: 120, key: 'N/A', beatsPerBar: 4, durationSec: 8, sections: [section] };
  const heard = [layers.map(({ songId, stem }) => sound(songId, stem, classes[`${songId} ${stem}`] ?? C_MAJOR))];
  const song = (id: string): RenderSong =>
    ({ id, name: id, stems: { vocals: '', drums: '', bass: '', other: '' } }) as unknown as RenderSong;
  const tuning = { semitones: new Map(), beats: new Map(), starts: new Map() };
  const songs = new Map(['singer', 'band'].map((id) => [id, song(id)]));
  const found = giveOwnHarmony({ plan, tuning, layers: heard, outOfTune: ['singer'] }, songs);
  return found?.plan!.sections[0]!.layers.map((each) =>
    [each.songId, each.stem, each.volumeDb, each.sourceStartSec].join(' '),
  );
}

describe('a voice that fits no notes of the other song', () => {
  const full = [
    layer('band', 'drums'),
    layer('band', 'bass', -4),
    layer('band', 'other', -9),
    layer('singer', 'vocals'),
  ];

  it('has its own under it, and the drums of the other, which go on', () => {
    const beside = { 'band bass': F_SHARP_MAJOR, 'band other': F_SHARP_MAJOR };
    assert.deepEqual(changed(full, beside), [
      'band drums 0 24',
      'singer bass -4 8',
      'singer other -9 8',
      'singer vocals 0 8',
    ]);
  });

  it('keeps the bass of the other where only its chords are beside it', () => {
    assert.deepEqual(changed(full, { 'band other': F_SHARP_MAJOR }), [
      'band drums 0 24',
      'band bass -4 24',
      'singer other -9 8',
      'singer vocals 0 8',
    ]);
  });

  it('plays no stem of its own twice', () => {
    const both = [...full, layer('singer', 'other', -8)];
    const beside = { 'band bass': F_SHARP_MAJOR, 'band other': F_SHARP_MAJOR };
    assert.equal(changed(both, beside)!.filter((each) => each.startsWith('singer other')).length, 1);
  });

  it('stays where it is when the songs would not be heard together any more', () => {
    const chords = [layer('band', 'other'), layer('singer', 'vocals', 0, true)];
    assert.equal(changed(chords, { 'band other': F_SHARP_MAJOR }), undefined);
  });
});
