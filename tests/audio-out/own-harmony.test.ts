import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Stem } from '../../schema.ts';
import type { LayerMeasurement } from '../../services/processing/measure/layer.ts';
import { useOwnHarmony } from '../../services/processing/corrections/own-harmony.ts';
import type { RenderLayer, RenderPlan } from '../../services/processing/plan/plan.ts';
import type { RenderSong } from '../../services/processing/song/song.ts';

const ROWS = 40;
/** Pitch classes of a layer. A voice and a bed with the same ones fit, others do not. */
const C_MAJOR = [0, 4, 7];
const F_SHARP_MAJOR = [6, 10, 1];

function sound(songId: string, stem: Stem, classes: readonly number[]): LayerMeasurement {
  const chroma = Float32Array.from({ length: 12 * ROWS }, (_, i) => (classes.includes(i % 12) ? 1 : 0));
  const levels = new Float32Array(ROWS).fill(-12);
  return {
    songId,
    stem,
    onsets: undefined,
    chroma: stem === 'drums' ? undefined : chroma,
    tuning: undefined,
    levels,
    lowPower: 0,
  };
}

function layer(songId: string, stem: Stem, volumeDb = 0, free = false): RenderLayer {
  return { songId, stem, volumeDb, effects: [], sourceStartSec: songId === 'singer' ? 8 : 24, free };
}

/** The layers of a section after the correction, as song, stem, level and start; undefined if nothing is changed. */
function changed(layers: RenderLayer[], classes: Partial<Record<string, number[]>>): string[] | undefined {
  const section = { start: 0, end: 8, bpm: 120, description: '', energy: 1, layers };
  const plan: RenderPlan = { bpm: 120, key: 'N/A', shifts: {}, beatsPerBar: 4, durationSec: 8, sections: [section] };
  const measured = [layers.map(({ songId, stem }) => sound(songId, stem, classes[`${songId} ${stem}`] ?? C_MAJOR))];
  const song = (id: string): RenderSong =>
    ({ id, name: id, stems: { vocals: '', drums: '', bass: '', other: '' } }) as unknown as RenderSong;
  const tuning = { semitones: new Map(), cents: new Map(), tunedTo: 0, beats: new Map(), starts: new Map() };
  const songs = new Map(['singer', 'band'].map((id) => [id, song(id)]));
  const found = useOwnHarmony({ plan, tuning, layers: measured, outOfTune: ['singer'] }, songs);
  return found?.plan!.sections[0]!.layers.map((each) =>
    [each.songId, each.stem, each.volumeDb, each.sourceStartSec].join(' '),
  );
}

describe('own harmony for a voice that fits no notes of the other song', () => {
  const full = [
    layer('band', 'drums'),
    layer('band', 'bass', -4),
    layer('band', 'other', -9),
    layer('singer', 'vocals'),
  ];

  it('replaces bass and harmony and keeps the drums of the other song', () => {
    const clash = { 'band bass': F_SHARP_MAJOR, 'band other': F_SHARP_MAJOR };
    assert.deepEqual(changed(full, clash), [
      'band drums 0 24',
      'singer bass -4 8',
      'singer other -9 8',
      'singer vocals 0 8',
    ]);
  });

  it('keeps the bass of the other song if only its chords do not fit', () => {
    assert.deepEqual(changed(full, { 'band other': F_SHARP_MAJOR }), [
      'band drums 0 24',
      'band bass -4 24',
      'singer other -9 8',
      'singer vocals 0 8',
    ]);
  });

  it('plays no stem of the singer twice', () => {
    const both = [...full, layer('singer', 'other', -8)];
    const clash = { 'band bass': F_SHARP_MAJOR, 'band other': F_SHARP_MAJOR };
    assert.equal(changed(both, clash)!.filter((each) => each.startsWith('singer other')).length, 1);
  });

  it('changes nothing if a section would lose a song', () => {
    const chords = [layer('band', 'other'), layer('singer', 'vocals', 0, true)];
    assert.equal(changed(chords, { 'band other': F_SHARP_MAJOR }), undefined);
  });
});
