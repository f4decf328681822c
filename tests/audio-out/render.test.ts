import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { OUTPUT_FORMATS, RenderResult } from '../../schema.ts';
import { decodeAudio } from '../../audio/decode/decode.ts';
import { measureLoudness } from '../../audio/level/loudness.ts';
import { dominantFrequency, onsets } from './signals.ts';
import {
  layer,
  render,
  renderBody,
  type SectionBody,
  SONG_A,
  SONG_B,
  startRenderer,
  startStorage,
  type Storage,
  TARGET_BPM,
} from './render-fixture.ts';
import { startOwnTime } from '../support/own-time.ts';

const RATE = 44_100;

const SECTIONS: SectionBody[] = [
  {
    bars: 2,
    energy: 0.3,
    layers: [layer(SONG_A, 'drums', -3, { effects: ['highpass_sweep'] }), layer(SONG_A, 'other', -3)],
  },
  {
    bars: 3,
    energy: 0.8,
    layers: [
      layer(SONG_A, 'drums'),
      layer(SONG_A, 'bass', -2),
      layer(SONG_A, 'other', -4, { effects: ['sidechain'] }),
      layer(SONG_B, 'vocals', -1, { effects: ['reverb', 'made-up-effect'] }),
    ],
  },
  { bars: 3, energy: 0.9, layers: [layer(SONG_B, 'drums'), layer(SONG_B, 'bass', -2)] },
];
const BARS = 8;

/** Samples of the longest time below -60 dBFS. */
function longestSilence(samples: Float32Array): number {
  let quiet = 0;
  let longest = 0;
  for (const sample of samples) {
    quiet = Math.abs(sample) < 0.001 ? quiet + 1 : 0;
    longest = Math.max(longest, quiet);
  }
  return longest;
}

describe('rendering a masterplan over HTTP', () => {
  let storage: Storage;
  let renderer: Awaited<ReturnType<typeof startRenderer>>;

  before(async () => {
    storage = await startStorage();
    renderer = await startRenderer();
  });
  after(() => {
    for (const { server } of [storage, renderer]) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** Renders and returns the terminal event. */
  async function last(body: unknown): Promise<Record<string, unknown>> {
    const { events } = await render(renderer.url, body);
    return events.at(-1)! as Record<string, unknown>;
  }

  it('responds to GET /health', async () => {
    const response = await fetch(`${renderer.url}/health`);
    assert.equal(((await response.json()) as { service: string }).service, 'processing');
  });

  describe('a mashup', () => {
    let wav: Buffer;
    let result: RenderResult;
    let channels: [Float32Array, Float32Array];
    let rendered: Awaited<ReturnType<typeof render>>;
    let downloads: IncomingMessage[];

    before(async () => {
      rendered = await render(renderer.url, renderBody(storage, SECTIONS));
      downloads = storage.requests.filter(({ method }) => method === 'GET');
      const put = storage.puts.at(-1)!;
      assert.equal(put.path, '/upload/mashup.wav');
      assert.equal(put.type, 'audio/wav');
      wav = put.bytes;
      result = RenderResult.parse((rendered.events.at(-1) as Record<string, unknown>)['result']);
      channels = (await decodeAudio(wav)).channels;
    });

    it('streams ascending progress and ends with one terminal event that names the path', () => {
      const progress = rendered.events.map((event) => ('progress' in event ? event.progress : NaN)) as number[];
      assert.ok(progress.every((value, i) => Number.isInteger(value) && value >= (progress[i - 1] ?? 0)));
      const terminal = rendered.events.filter((event) => 'storage_path' in event || 'error' in event);
      assert.equal(terminal.length, 1);
      assert.equal(rendered.events.at(-1), terminal[0]);
      assert.equal(terminal[0]!['storage_path'], 'generated/job/mashup.wav');
      assert.equal(terminal[0]!['message'], 'Complete!');
      assert.ok(rendered.text.startsWith('data: {'));
      assert.ok(!rendered.text.includes('secret'), 'no signed URL leaves the service');
    });

    it('downloads each stem once, also for corrections', () => {
      const paths = downloads.map(({ url }) => url!.split('?')[0]!);
      assert.deepEqual(paths.toSorted(), [...new Set(paths)].sort());
      assert.ok(paths.includes(`/${SONG_A.id}/drums.wav`));
    });

    it('sends an event at least every 2 seconds, or every fifth of a slow render', () => {
      const gaps = rendered.times.map((time, i) => time - (rendered.times[i - 1] ?? 0));
      const limit = Math.max(2000, (rendered.times.at(-1) ?? 0) / 5);
      assert.ok(Math.max(...gaps) < limit, `${Math.max(...gaps)} ms of ${limit}`);
    });

    it('is as long as the plan', () => {
      const planned = (BARS * 4 * 60) / TARGET_BPM;
      assert.ok(Math.abs(channels[0].length / RATE - planned) < 0.01 * planned);
      assert.ok(Math.abs(result.duration_sec - channels[0].length / RATE) < 0.001);
    });

    it('has the beats of both songs on the grid of the planned tempo', () => {
      const beat = 60 / TARGET_BPM;
      const found = onsets(channels[0], RATE).filter((at) => at < BARS * 4 * beat - beat / 2);
      const offsets = found.map((at) => Math.abs(at - Math.round(at / beat) * beat)).sort((a, b) => a - b);
      assert.ok(found.length >= BARS * 4 * 0.8, `${found.length} onsets`);
      assert.ok(
        offsets[Math.floor(offsets.length * 0.95)]! < 0.012,
        `95 % within ${offsets[Math.floor(offsets.length * 0.95)]}`,
      );
      const spans = found
        .slice(1)
        .map((at, i) => at - found[i]!)
        .sort((a, b) => a - b);
      assert.ok(Math.abs(60 / spans[spans.length >> 1]! / TARGET_BPM - 1) < 0.01);
    });

    it('is at -14 LUFS, below -1 dBTP and unclipped, and reports that', () => {
      const measured = measureLoudness(channels, RATE);
      assert.ok(Math.abs(measured.integrated_lufs + 14) <= 0.5, `${measured.integrated_lufs}`);
      assert.ok(measured.true_peak_dbtp <= -1, `${measured.true_peak_dbtp}`);
      assert.ok(Math.abs(measured.integrated_lufs - result.loudness_lufs) < 0.01);
      assert.ok(Math.abs(measured.true_peak_dbtp - result.true_peak_dbtp) < 0.01);
    });

    it('has no gap of a second or more', () => {
      assert.ok(longestSilence(channels[0]) < RATE);
    });

    it('shifts the second song exactly to the key of the mashup', () => {
      // The bass of song B is a B. Two semitones lower it is the A of the target key, whatever else is corrected.
      const beat = 60 / TARGET_BPM;
      const from = Math.round((5 * 4 + 1) * beat * RATE);
      const found = dominantFrequency(channels[0].slice(from, from + 3 * RATE), RATE, 50, 70);
      assert.ok(Math.abs(1200 * Math.log2(found / 55)) < 10, `${found} Hz`);
    });

    it('reports failed checks', () => {
      const failed = result.quality!.checks.filter((check) => check.kind === 'hard' && !check.passed);
      assert.deepEqual(
        failed.map(({ name }) => name),
        ['limiting'],
      );
      assert.ok(result.warnings.some((warning) => warning.includes('The limiter works so hard that it is audible')));
    });

    it('lets a voice that fits no bed sing over the harmony of its own song', () => {
      // A voice of single tones fits the other song nowhere, and in no key.
      const { checks, corrections } = result.quality!;
      assert.equal(checks.find(({ name }) => name === 'harmony')!.value, null);
      assert.deepEqual(corrections, ['"song-b" sings over its own bass and instruments: it fits no other notes.']);
      assert.ok(checks.find(({ name }) => name === 'together')!.passed);
    });

    it('warns of unknown effects, and returns a waveform', () => {
      assert.ok(result.warnings.some((warning) => warning.includes('made-up-effect')));
      assert.equal(result.waveform!.peaks.length, Math.ceil(result.duration_sec * result.waveform!.peaks_per_sec));
      assert.ok(result.waveform!.peaks.every((peak) => peak >= 0 && peak <= 1));
      assert.equal(result.bytes, wav.length);
    });

    it('is byte-identical when rendered again', async () => {
      await last(renderBody(storage, SECTIONS));
      assert.ok(storage.puts.at(-1)!.bytes.equals(wav));
    });
  });

  for (const format of OUTPUT_FORMATS.filter((name) => name !== 'wav')) {
    it(`delivers ${format} at the target loudness and below the peak limit`, async () => {
      const event = await last(renderBody(storage, SECTIONS.slice(1), { format }));
      const result = RenderResult.parse(event['result']);
      const decoded = await decodeAudio(storage.puts.at(-1)!.bytes);
      const measured = measureLoudness(decoded.channels, RATE);
      assert.equal(decoded.format, format);
      assert.ok(Math.abs(measured.integrated_lufs + 14) <= 0.5, `${measured.integrated_lufs}`);
      assert.ok(measured.true_peak_dbtp <= -1, `${measured.true_peak_dbtp}`);
      assert.equal(result.format, format);
      const planned = (6 * 4 * 60) / TARGET_BPM;
      assert.ok(Math.abs(decoded.duration_sec - planned) < 0.01 * planned);
    });
  }

  it('detects the beats if the analysis has none, and is as much in time', async () => {
    const body = renderBody(storage, [{ bars: 4, layers: [layer(SONG_A, 'drums'), layer(SONG_B, 'drums')] }]) as {
      songs: { analysis: unknown }[];
    };
    // As some analysis services respond: a tempo in coarse steps and a constant key.
    body.songs[0]!.analysis = { rhythmic: { bpm: 99.4 }, harmonic: { key: 'C major', key_confidence: 0 } };
    body.songs[1]!.analysis = {};
    const result = RenderResult.parse((await last(body))['result']);
    // Clicks alone hardly reach the loudness of music, with much limiting; no other check fails.
    const failed = result
      .quality!.checks.filter(({ passed, kind }) => !passed && kind === 'hard')
      .map(({ name }) => name);
    assert.deepEqual(
      failed.filter((name) => name !== 'loudness'),
      ['limiting'],
    );
    assert.equal(result.warnings.length, failed.length, result.warnings.join(' | '));
    const { channels } = await decodeAudio(storage.puts.at(-1)!.bytes);
    const beat = 60 / TARGET_BPM;
    const found = onsets(channels[0], RATE).filter((at) => at < 15 * beat);
    const offsets = found.map((at) => Math.abs(at - Math.round(at / beat) * beat)).sort((a, b) => a - b);
    assert.ok(found.length >= 12 && offsets[Math.floor(offsets.length * 0.9)]! < 0.02, offsets.join(' '));
  });

  it('adds a quiet bed to a section that would be silent', async () => {
    const body = renderBody(storage, [
      { bars: 2, layers: [layer(SONG_A, 'drums'), layer(SONG_A, 'other')] },
      { bars: 2, layers: [layer(SONG_A, 'vocals', 0, { source_start_sec: 9 })] },
    ]) as { songs: { stems: Record<string, string> }[] };
    body.songs[0]!.stems['vocals'] = `${storage.url}/silent.wav`;
    const result = RenderResult.parse((await last(body))['result']);
    assert.ok(result.warnings.some((warning) => warning.includes('Section 2')));
    const { channels } = await decodeAudio(storage.puts.at(-1)!.bytes);
    assert.ok(longestSilence(channels[0]) < RATE);
  });

  describe('a failed render ends with an error event that has a code', () => {
    const one: SectionBody[] = [{ bars: 2, layers: [layer(SONG_A, 'drums')] }];
    const cases: [string, string, () => unknown][] = [
      ['an empty timeline', 'plan_empty', () => renderBody(storage, [])],
      ['a section without layers', 'plan_section_empty', () => renderBody(storage, [...one, { bars: 1, layers: [] }])],
      [
        'an unknown stem',
        'plan_invalid',
        () => renderBody(storage, [{ bars: 2, layers: [{ songId: 'song-a', stem: 'piano' }] }]),
      ],
      [
        'an unknown song',
        'plan_unknown_song',
        () => renderBody(storage, [{ bars: 2, layers: [{ songId: 'x', stem: 'bass' }] }]),
      ],
      ['no upload target', 'upload_missing', () => renderBody(storage, one, { upload: undefined })],
      [
        'no stems',
        'stems_missing',
        () => renderBody(storage, one, { songs: [{ song_id: 'song-a', storage_path: 'x', analysis: {} }] }),
      ],
      [
        'a rejected upload',
        'upload_failed',
        () => renderBody(storage, one, { upload: { path: 'p', url: `${storage.url}/refused` } }),
      ],
      ['missing stem files', 'stem_unavailable', () => withDrums('/gone.wav?token=secret')],
      ['stems that are not audio', 'stem_unusable', () => withDrums('/broken.wav')],
      ['nothing but silence', 'render_silent', () => withDrums('/silent.wav')],
    ];
    const withDrums = (path: string): unknown => {
      const body = renderBody(storage, one) as { songs: { stems: Record<string, string> }[] };
      body.songs[0]!.stems = { drums: `${storage.url}${path}` };
      return body;
    };
    for (const [name, code, body] of cases) {
      it(name, async () => {
        const before = storage.puts.length;
        const { events, text } = await render(renderer.url, body());
        const event = events.at(-1) as Record<string, unknown>;
        assert.equal(event['code'], code, text);
        assert.ok(typeof event['error'] === 'string' && event['error'].length > 10);
        assert.ok(typeof event['hint'] === 'string');
        assert.ok(!text.includes('secret') && !text.includes(process.cwd()));
        if (code !== 'upload_failed') assert.equal(storage.puts.length, before, 'nothing is uploaded');
      });
    }

    it('rejects an invalid body with a 422 that names the path', async () => {
      await assert.rejects(render(renderer.url, { masterplan: {}, songs: [], job_id: 'j' }), /422.*timeline/);
    });
  });

  it('stops within a second when the connection is closed, and can render again', async () => {
    const path = `/${SONG_A.id}/drums.wav`;
    storage.stalled.add(path);
    const seen = storage.requests.length;
    const abort = new AbortController();
    const response = await fetch(`${renderer.url}/execute-masterplan`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(renderBody(storage, SECTIONS)),
      signal: abort.signal,
    });
    const reader = response.body!.getReader();
    const stalledRequest = async (): Promise<(typeof storage.requests)[number]> => {
      for (;;) {
        const found = storage.requests.slice(seen).find((request) => request.url?.startsWith(path));
        if (found) return found;
        await reader.read();
      }
    };
    const download = await stalledRequest();
    const closed = new Promise((resolve) => download.once('close', resolve));
    const ownTime = startOwnTime();
    abort.abort();
    await closed;
    assert.ok(ownTime() < 1000);
    storage.stalled.delete(path);
    const event = await last(renderBody(storage, [{ bars: 2, layers: [layer(SONG_A, 'drums')] }]));
    assert.ok('storage_path' in event);
  });
});
