import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { playSong } from '../../bench/hard-material/band.ts';
import { analysisLines } from '../../cli/analysis-text.ts';
import type { SongAnalysis } from '../../schema.ts';
import { mashup, type Run } from './cli.ts';

describe('mashup analyze', () => {
  let folder: string;
  let text: Run;
  let json: Run;
  let files: string[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mashup-analyze-'));
    files = ['band.wav', 'words.wav', 'missing.wav', 'again (Instrumental).wav'].map((name) => join(folder, name));
    const song = { parts: [{ bars: 8, bpm: 100, meter: 4 }], tonic: 10 };
    for (const [path, { mix }] of [
      [files[0]!, playSong(song)],
      [files[3]!, playSong({ ...song, stems: ['vocals', 'drums'] })],
    ] as const) {
      await writeFile(path, encodeWav16([mix, mix], 44_100));
    }
    await writeFile(files[1]!, 'These are words. '.repeat(100));
    [text, json] = await Promise.all([mashup(['analyze', ...files]), mashup(['analyze', '--json', ...files])]);
  });
  after(() => rm(folder, { recursive: true }));

  it('prints a table of each file, in the order of the arguments', () => {
    assert.match(text.stdout, /band\.wav\n {2}Length +0:20\n {2}Tempo +100\.\d bpm, confidence \d+ %/);
    assert.match(text.stdout, /Meter +4 beats per bar\n {2}Beats +3\d from 0:0\d\.\d to 0:\d\d\.\d, \d bars/);
    assert.match(text.stdout, /Key +B♭ major \(6B\), confidence \d+ %/);
    assert.match(text.stdout, /Loudness +-\d+\.\d LUFS, true peak -?\d+\.\d dBTP/);
    assert.match(text.stdout, /band\.wav[^]*again \(Instrumental\)\.wav/);
  });

  it('names each file that cannot be analysed in one line, goes on with the others, and exits with 1', () => {
    assert.equal(text.code, 1);
    const lines = text.stderr.trim().split('\n');
    assert.equal(lines.length, 2, text.stderr);
    assert.match(lines[0]!, /words\.wav: .* not audio .*\. Use an MP3, WAV/);
    assert.match(lines[1]!, /missing\.wav: There is no file/);
  });

  it('prints the whole analysis of each file as a line of JSON, and the errors as well', () => {
    assert.equal(json.code, 1);
    const lines = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { file: string; analysis?: SongAnalysis; error?: { code: string } });
    assert.deepEqual(
      lines.map(({ file }) => file),
      files,
    );
    const [band, words, missing, again] = lines;
    assert.equal(band?.analysis?.harmonic.key, 'Bb major');
    assert.ok((band.analysis.rhythmic.beats_sec?.length ?? 0) > 30);
    assert.deepEqual([band.analysis.content, again?.analysis?.content], ['full', 'instrumental']);
    assert.deepEqual([words?.error?.code, missing?.error?.code], ['audio_unsupported_format', 'file_missing']);
  });

  it('takes the name of the file as a hint of its content, as planning does', () => {
    const [first, second] = [...text.stdout.matchAll(/Content +(.*)/g)].map(([, content]) => content);
    assert.deepEqual([first, second], ['voice and instruments (full)', 'no voice (instrumental)']);
  });

  it('needs at least one file', async () => {
    const { code, stderr } = await mashup(['analyze']);
    assert.equal(code, 2);
    assert.match(stderr, /missing required argument 'files'/i);
  });
});

describe('the text of an analysis', () => {
  const base: SongAnalysis = {
    version: 'test',
    duration_sec: 65,
    harmonic: { key: 'N/A', key_confidence: 0, chord_progression: [], chord_complexity: 0 },
    rhythmic: { bpm: 120, beat_confidence: 0, groove_stability: 0, swing_factor: 0 },
    spectral: { mfccs: [], dynamic_range: 10, brightness: 1000 },
    vocal: { vocal_presence: 0 },
    has_timbre: true,
  };
  const textOf = (analysis: Partial<SongAnalysis>): string => analysisLines({ ...base, ...analysis }).join('\n');

  it('says that there is no beat, no key and no known meter', () => {
    assert.match(
      textOf({ rhythmic: { ...base.rhythmic, has_beat: false, beats_sec: [1, 2] } }),
      /Tempo +none: no beat/,
    );
    assert.doesNotMatch(textOf({ rhythmic: { ...base.rhythmic, has_beat: false, beats_sec: [1, 2] } }), /Beats|Meter/);
    assert.match(textOf({}), /Key +not known/);
    assert.match(textOf({ rhythmic: { ...base.rhythmic, meter: null } }), /Meter +no known meter/);
  });

  it('has tuning, content, tempo parts and warnings where the analysis has them', () => {
    const text = textOf({
      harmonic: { ...base.harmonic, key: 'F# minor', key_confidence: 0.9, tuning_cents: -31.8, tuning_confidence: 0.8 },
      rhythmic: {
        ...base.rhythmic,
        tempo_parts: [
          { start_sec: 0, end_sec: 43.2, bpm: 100, meter: 4 },
          { start_sec: 43.2, end_sec: 65, bpm: 126, meter: null },
        ],
      },
      content: 'acapella',
      warnings: ['One channel is inverted.'],
    });
    assert.match(text, /Key +F♯ minor \(11A\), confidence 90 %/);
    assert.match(text, /Tuning +-32 cents \(A = 432\.0 Hz\), confidence 80 %/);
    assert.match(text, /Content +only voices \(acapella\)/);
    assert.match(text, /0:00 - 0:43 {2}100\.0 bpm {2}4 beats per bar\n.*0:43 - 1:05 {2}126\.0 bpm {2}no known meter/);
    assert.match(text, /! One channel is inverted\./);
  });

  it('has no sign for a deviation under half a cent, and no deviation without confidence', () => {
    const tuned = (tuning_cents: number, tuning_confidence: number): string =>
      textOf({ harmonic: { ...base.harmonic, tuning_cents, tuning_confidence } });
    assert.match(tuned(0.3, 0.8), /Tuning +0 cents/);
    assert.match(tuned(-0.3, 0.8), /Tuning +0 cents/);
    assert.match(tuned(0.7, 0.8), /Tuning +\+1 cents/);
    assert.match(tuned(0, 0), /Tuning +not known/);
  });
});
