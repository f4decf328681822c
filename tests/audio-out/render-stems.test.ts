/** The stems of a finished mashup: they sum to it, sample by sample. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { OPENING_PATH, RenderedStems, RenderResult, STEMS, STEMS_PATH } from '../../schema.ts';
import { RenderCache } from '../../services/processing/files/render-cache.ts';
import { stemPartEnds } from '../../schema/mashup-stems.ts';
import { decodeAudio } from '../../audio/decode/decode.ts';
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
} from './render-fixture.ts';

/** Two songs, effects with tails and sweeps, and a bass that goes on across the transition between two sections. */
const SECTIONS: SectionBody[] = [
  {
    bars: 1,
    energy: 0.3,
    layers: [
      layer(SONG_A, 'drums', -3, { effects: ['highpass_sweep', 'echo_out'] }),
      layer(SONG_A, 'bass', -3, { source_start_sec: 0.31 }),
    ],
  },
  {
    bars: 1,
    energy: 0.8,
    layers: [layer(SONG_A, 'bass', -3), layer(SONG_B, 'drums', -1, { effects: ['reverb', 'sidechain'] })],
  },
];

/** Level of the difference of two sounds against the first, in dB. */
function residualDb(mashup: Float32Array, sum: Float32Array): number {
  let [energy, difference] = [0, 0];
  for (let i = 0; i < mashup.length; i++) {
    energy += mashup[i]! ** 2;
    difference += (mashup[i]! - sum[i]!) ** 2;
  }
  return 10 * Math.log10(difference / energy);
}

describe('the stems of a mashup', () => {
  const folder = mkdtempSync(join(tmpdir(), 'render-stems-'));
  let storage: Storage;
  let renderer: Awaited<ReturnType<typeof startRenderer>>;
  /** The request for the stems of the first mashup. */
  let whole: Record<string, unknown>;

  before(async () => {
    storage = await startStorage();
    renderer = await startRenderer({ cache: RenderCache.open(folder, 2 ** 29) });
  });
  after(() => {
    for (const { server } of [storage, renderer]) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const upload = (name: string): { path: string; url: string } => ({
    path: `generated/job/${name}`,
    url: `${storage.url}/upload/${name}?token=secret`,
  });
  const uploaded = (name: string): Buffer => storage.puts.findLast(({ path }) => path === `/upload/${name}`)!.bytes;

  /** Renders a mashup, serves it, and returns the request for its stems. */
  async function renderMashup(
    name: string,
    sections: SectionBody[],
    changes: Record<string, unknown> = {},
  ): Promise<Record<string, unknown>> {
    const body = renderBody(storage, sections, { upload: upload(name), ...changes }) as Record<string, unknown>;
    const last = (await render(renderer.url, body)).events.at(-1)! as Record<string, unknown>;
    const { mastering } = RenderResult.parse(last['result']);
    storage.files.set(`/${name}`, uploaded(name));
    const files = [SONG_A, SONG_B].flatMap(({ id }) =>
      STEMS.map((stem) => ({
        song_id: id,
        stem,
        path: `stems/${id}-${stem}`,
        parts: [0, 1].map((i) => upload(`${id}-${stem}-${i}`)),
      })),
    );
    return { ...body, stems: { path: 'stems', mashup_url: `${storage.url}/${name}`, mastering, files } };
  }

  async function renderStems(request: unknown): Promise<Record<string, unknown>> {
    return (await render(renderer.url, request, STEMS_PATH)).events.at(-1)! as Record<string, unknown>;
  }

  /** The samples of a stem, as its parts hold them. */
  async function soundOf({ song_id, stem }: RenderedStems['files'][number], ends: number[]): Promise<Float32Array[]> {
    const parts = await Promise.all(
      ends.map(async (_end, i) => decodeAudio(uploaded(`${song_id}-${stem}-${i}`), { limits: { minSec: 0 } })),
    );
    return [0, 1].map((c) => Float32Array.from(parts.flatMap(({ channels }) => [...channels[c]!])));
  }

  /** Adds the files of stems up. Returns the residual against the mashup in dB. */
  async function residualOf(name: string, stems: RenderedStems): Promise<number> {
    const mashup = (await decodeAudio(uploaded(name), { limits: { minSec: 0 } })).channels;
    assert.equal(stems.total_frames, mashup[0]!.length);
    assert.deepEqual(stems.ends, stemPartEnds(stems.total_frames));
    const sum = [0, 1].map(() => new Float32Array(stems.total_frames));
    for (const file of stems.files) {
      const sound = await soundOf(file, stems.ends);
      sound.forEach((samples, c) => {
        assert.equal(samples.length, stems.total_frames);
        for (let i = 0; i < samples.length; i++) sum[c]![i]! += samples[i]! / 10 ** (stems.level_db / 20);
      });
    }
    return Math.max(...mashup.map((samples, c) => residualDb(samples, sum[c]!)));
  }

  it('sum to it, with its effects, transitions and mastering', async () => {
    whole = await renderMashup('mashup.wav', SECTIONS);
    const answer = await renderStems(whole);
    const stems = RenderedStems.parse(answer['stems']);
    assert.equal(answer['storage_path'], 'stems');
    assert.deepEqual(stems.files.map(({ song_id, stem }) => `${song_id} ${stem}`).sort(), [
      'song-a bass',
      'song-a drums',
      'song-b drums',
    ]);
    const residual = await residualOf('mashup.wav', stems);
    assert.ok(residual < -60, `${residual} dB`);
    assert.ok(Math.abs(stems.residual_db! - residual) < 3, `${stems.residual_db} dB is stated`);
  });

  it('sum to it if it begins with an opening, which was rendered from less of the songs', async () => {
    const opening = { key: 'opening', sections: 1 };
    const { masterplan, songs } = renderBody(storage, SECTIONS) as Record<string, unknown>;
    const [first, second] = songs as Record<string, unknown>[];
    const early = [first, { ...second, stems: {} }];
    const parts = { path: 'open.parts', uploads: [0, 1, 2].map((i) => upload(`open-${i}`)) };
    const opened = await render(
      renderer.url,
      { masterplan, songs: early, job_id: 'job', opening, parts },
      OPENING_PATH,
    );
    assert.ok('storage_path' in opened.events.at(-1)!, JSON.stringify(opened.events.at(-1)));
    const request = await renderMashup('opened.wav', SECTIONS, { opening });
    const stems = RenderedStems.parse((await renderStems(request))['stems']);
    const residual = await residualOf('opened.wav', stems);
    assert.ok(residual < -60, `${residual} dB`);
  });

  it('sum to a mashup of two tempi, whose file is an MP3, as far as the encoder keeps its sound', async () => {
    const { masterplan } = renderBody(storage, SECTIONS) as { masterplan: { timeline: Record<string, unknown>[] } };
    masterplan.timeline[1]!['tempo_bpm'] = 112;
    const request = await renderMashup('mashup.mp3', SECTIONS, { masterplan, format: 'mp3' });
    const stems = RenderedStems.parse((await renderStems(request))['stems']);
    assert.ok(stems.residual_db! < -20, `${stems.residual_db} dB`);
  });

  it('are refused of another mashup than that of the request', async () => {
    const stems = { ...(whole['stems'] as object), mashup_url: `${storage.url}/${SONG_A.id}/bass.wav` };
    const answer = await renderStems({ ...whole, stems });
    assert.equal(answer['code'], 'mashup_differs');
    assert.match(String(answer['hint']), /Replay the mashup/);
  });
});
