import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { id3, riffInfoChunk, vorbisCommentBlock } from '../../audio/encode/tags.ts';
import { keptKey, keyChangeText, soundingBpm, soundingKeys } from '../../services/processing/plan/sounding.ts';
import type { RenderLayer, RenderPlan } from '../../services/processing/plan/plan.ts';
import type { RenderSong } from '../../services/processing/song/song.ts';
import type { Tuning } from '../../services/processing/plan/tuning.ts';

/** Sections of a plan in A minor at 120 bpm: seconds, layers as `song stem`, and their own tempo. */
function planOf(...sections: [seconds: number, layers: string[], bpm?: number][]): RenderPlan {
  let clock = 0;
  const layerOf = (text: string): RenderLayer => {
    const [songId = '', stem] = text.split(' ');
    return {
      songId,
      stem: stem as RenderLayer['stem'],
      volumeDb: 0,
      effects: [],
      sourceStartSec: undefined,
      free: false,
    };
  };
  const placed = sections.map(([seconds, layers, bpm = 120]) => {
    const start = clock;
    clock += seconds;
    return { start, end: clock, bpm, description: '', energy: 0.5, layers: layers.map(layerOf) };
  });
  return { bpm: 120, key: 'A minor', shifts: {}, beatsPerBar: 4, durationSec: clock, sections: placed };
}

const songs = (keys: Record<string, string>): Map<string, RenderSong> =>
  new Map(Object.entries(keys).map(([id, key]) => [id, { id, key } as RenderSong]));
const shifts = (semitones: Record<string, number>): Tuning => ({
  semitones: new Map(Object.entries(semitones)),
  cents: new Map(),
  tunedTo: 0,
  beats: new Map(),
  starts: new Map(),
});

describe('the key of a take', () => {
  const plan = planOf([30, ['a bass', 'a other', 'b vocals']], [20, ['b other', 'a vocals']]);

  it('is that of the song that plays most of bass and harmony, as it is shifted', () => {
    const both = songs({ a: 'G minor', b: 'A minor' });
    assert.equal(soundingKeys(plan, both, shifts({ a: 2, b: 0 }))[0], 'A minor');
    // A correction shifted the bed by another two semitones.
    assert.equal(soundingKeys(plan, both, shifts({ a: 4, b: 2 }))[0], 'B minor');
  });

  it('does not change with the cents that bring songs to one tuning', () => {
    const tuned = { ...shifts({ a: 2, b: 0 }), tunedTo: -40, cents: new Map([['a', -80]]) };
    assert.equal(soundingKeys(plan, songs({ a: 'G minor', b: 'A minor' }), tuned)[0], 'A minor');
  });

  it('counts keys with the same notes together', () => {
    const three = planOf([30, ['a bass']], [20, ['b other']], [15, ['c other']]);
    assert.equal(soundingKeys(three, songs({ a: 'D major', b: 'A minor', c: 'C major' }), shifts({}))[0], 'A minor');
  });

  it('has the name of the planned key where that has the same notes', () => {
    const keys = soundingKeys(plan, songs({ a: 'C major', b: 'F major' }), shifts({}));
    assert.deepEqual(keys, ['A minor', 'F major']);
    assert.deepEqual(soundingKeys({ ...plan, key: 'N/A' }, songs({ a: 'C major', b: 'A minor' }), shifts({})), [
      'C major',
    ]);
  });

  it('is that of the plan while the songs are shifted as the plan says, and a part is in that key', () => {
    const kept = { ...plan, shifts: { a: 2, b: -3 } };
    assert.equal(keptKey(kept, ['E minor', 'A minor'], shifts({ a: 2, b: -3 })), 'A minor');
    assert.equal(keptKey(kept, ['E minor', 'A minor'], shifts({ a: 2, b: 0 })), undefined);
    assert.equal(keptKey(kept, ['E minor'], shifts({ a: 2, b: -3 })), undefined);
    assert.equal(keptKey(plan, ['A minor'], shifts({ a: 2, b: -3 })), undefined);
  });

  it('is told with those of parts in another key, the longest first', () => {
    const keys = soundingKeys(plan, songs({ a: 'D major', b: 'F major' }), shifts({}));
    assert.deepEqual(keys, ['D major', 'F major']);
    assert.equal(keyChangeText(keys), 'The mashup changes its key: parts are in D major and in F major.');
    assert.match(keyChangeText(['Bb major', 'D major']) ?? '', /in B♭ major and in D major/);
    assert.deepEqual(soundingKeys(plan, songs({ a: 'D major', b: 'F major' }), shifts({ b: -3 })), ['D major']);
    assert.equal(keyChangeText(['D major', 'A major']), undefined);
    const short = planOf([30, ['a bass']], [5, ['b bass']]);
    assert.deepEqual(soundingKeys(short, songs({ a: 'D major', b: 'F major' }), shifts({})), ['D major']);
  });

  it('is that of the voice without bass and harmony, and unknown without notes or known keys', () => {
    const sung = planOf([30, ['a drums', 'b vocals']]);
    assert.equal(soundingKeys(sung, songs({ a: 'G minor', b: 'E major' }), shifts({ b: 1 }))[0], 'F major');
    assert.deepEqual(soundingKeys(plan, songs({ a: 'N/A', b: 'N/A' }), shifts({})), []);
    assert.deepEqual(soundingKeys(planOf([30, ['a drums']]), songs({ a: 'G minor', b: 'N/A' }), shifts({})), []);
  });
});

describe('the tempo of a take', () => {
  it('is that of most of the time', () => {
    assert.equal(soundingBpm(planOf([30, ['a bass']], [40, ['b bass'], 96])), 96);
    assert.equal(soundingBpm(planOf([40, ['a bass']], [40, ['b bass'], 96])), 120);
  });
});

describe('tags of a file', () => {
  it('contain tempo and key where the format has a field for them', () => {
    const tags = { title: 'Test', bpm: 119.6, key: 'A# minor' };
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
    assert.match(text(id3(tags)), /TBPM.{7}120TKEY.{7}Bbm/s);
    assert.match(text(vorbisCommentBlock(tags)), /BPM=120.{4}INITIALKEY=Bbm/s);
    assert.doesNotMatch(text(riffInfoChunk(tags)), /120|Bbm/);
    assert.doesNotMatch(text(id3({ title: 'Test', key: 'N/A' })), /TKEY/);
  });
});
