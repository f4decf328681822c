/** The real model on a short song, in the real service. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { playSong } from '../../bench/hard-material/band.ts';
import { siSdr } from '../../bench/metrics.ts';
import { STEMS } from '../../schema.ts';
import type { Stem } from '../../schema.ts';
import { CLASSICAL } from '../../services/separation/classical.ts';
import { until } from '../support/until.ts';
import { MODEL } from './installed-models.ts';
import { eventsOf, openStore, refusalOf, request, separateSong, stemsIn } from './separation-calls.ts';
import type { Store } from './separation-calls.ts';
import { memoryOf, modelProcess, startSeparation, WITHOUT_PROC } from './service-process.ts';
import type { ServiceProcess } from './service-process.ts';

const SONG_SEC = 12;
/** A range, and the piece that is separated for it. It lies across the join of the two segments of the whole song. */
const RANGE = { start_sec: 4.6, end_sec: 8.4 };
const PIECE = { start_sec: 4.5, end_sec: 8.5 };
const MODEL_NAME = `${MODEL.name}-${MODEL.sha256.slice(0, 8)}`;
/** Limit of the service with the process of the model. */
const MAX_MEMORY_MB = 2_000;
/** Memory of a process that computes a segment: it exceeds what the loaded model takes. */
const IN_SEGMENT_MB = 800;
/** Time in which a cancelled process is gone. */
const MAX_CANCEL_MS = 2_000;
/** Time limit of waits for the model, on a machine that is busy with other things. */
const PATIENCE_MS = 300_000;

/** The model takes the singer of the song for an instrument or for a voice, so that both are one group. */
const GROUPS = ['drums', 'bass', 'rest'] as const;
type Group = (typeof GROUPS)[number];

const groupsOf = ({ drums, bass, vocals, other }: Record<Stem, StereoChunk>): Record<Group, StereoChunk> => ({
  drums,
  bass,
  rest: [0, 1].map((c) => vocals[c]!.map((value, i) => value + other[c]![i]!)) as StereoChunk,
});

const band = playSong({ parts: [{ bars: 5, bpm: 100, meter: 4 }] }).stems;
const cut = (samples: Float32Array, fromSec: number, toSec: number): Float32Array<ArrayBuffer> =>
  samples.slice(fromSec * SAMPLE_RATE, toSec * SAMPLE_RATE);
const truth = Object.fromEntries(
  STEMS.map((stem): [Stem, StereoChunk] => {
    const sound = cut(band[stem], 0, SONG_SEC);
    return [stem, [sound, sound.slice()]];
  }),
) as Record<Stem, StereoChunk>;
const mix = truth.vocals[0].map((_, i) => STEMS.reduce((sum, stem) => sum + truth[stem][0][i]!, 0));

describe('separation by the model', { skip: WITHOUT_PROC }, () => {
  let store: Store;
  let service: ServiceProcess;
  before(async () => {
    store = await openStore(encodeWav16([mix, mix], SAMPLE_RATE));
    service = await startSeparation();
  });
  after(async () => {
    await service.stop();
    store.close();
  });
  const call = (): { service: string; store: Store } => ({ service: service.url, store });

  /** Waits until the process of the model computes a segment. Returns its number. */
  async function untilInSegment(): Promise<number> {
    const pid = (): number => modelProcess(service.pid) ?? 0;
    await until('the model computes a segment', () => memoryOf(pid()).now > IN_SEGMENT_MB, PATIENCE_MS);
    return pid();
  }

  test('a closed connection ends the process of the model in the middle of a segment', async () => {
    const controller = new AbortController();
    const response = request({ ...call(), method: 'neural', signal: controller.signal });
    const pid = await untilInSegment();
    const before = memoryOf(service.pid).now;
    const cancelled = performance.now();
    controller.abort();
    await assert.rejects(response, { name: 'AbortError' });
    await until('the process of the model is gone', () => memoryOf(pid).now === 0);
    assert.ok(performance.now() - cancelled < MAX_CANCEL_MS);
    assert.equal(modelProcess(service.pid), undefined);
    assert.ok(memoryOf(service.pid).now < before + 50);
  });

  test('the model separates a song better than the classical method, and tells its progress', async () => {
    await separateSong({ ...call(), method: 'classical' });
    const classical = await stemsIn(store);
    const progress: number[] = [];
    let peak = 0;
    let result: unknown;
    const sampler = setInterval(() => {
      const pid = modelProcess(service.pid);
      if (pid !== undefined) peak = Math.max(peak, memoryOf(pid).peak + memoryOf(service.pid).now);
    }, 50);
    for await (const event of eventsOf({ ...call(), method: 'neural', durationSec: SONG_SEC })) {
      if ('progress' in event) progress.push(event.progress as number);
      else result = event;
    }
    clearInterval(sampler);
    assert.partialDeepStrictEqual(result, { success: true, model: MODEL_NAME, warnings: [] });
    assert.deepEqual(progress, [0.5, 1]);
    assert.ok(peak > IN_SEGMENT_MB && peak < MAX_MEMORY_MB, `${peak} MB at the peak`);

    const stems = await stemsIn(store);
    const [own, classic, real] = [stems, classical, truth].map(groupsOf);
    const gain = (group: Group): number => siSdr(real![group], own![group]) - siSdr(real![group], classic![group]);
    const gains = { drums: gain('drums'), bass: gain('bass'), rest: gain('rest') };
    assert.ok(gains.drums > 6 && gains.bass > 4 && gains.rest > 2, JSON.stringify(gains));
    const error = mix.map((value, i) => Math.abs(STEMS.reduce((sum, stem) => sum + stems[stem][0][i]!, -value)));
    assert.ok(
      error.every((value) => value < 2e-4),
      'the stems sum to the song, but for their rounding to 16 bits',
    );
  });

  test('a piece of a song sounds as the same part of the whole song', async () => {
    const whole = await stemsIn(store);
    const { pieces, model } = await separateSong({ ...call(), method: 'neural', ranges: [RANGE] });
    assert.equal(model, MODEL_NAME);
    assert.partialDeepStrictEqual(pieces, [PIECE]);
    const piece = await stemsIn(store, 0);
    const same = Object.fromEntries(
      STEMS.map((stem) => [stem, whole[stem].map((channel) => cut(channel, PIECE.start_sec, PIECE.end_sec))]),
    ) as Record<Stem, StereoChunk>;
    const [expected, actual] = [same, piece].map(groupsOf);
    const ratios = GROUPS.map((group) => siSdr(expected![group], actual![group]));
    assert.ok(Math.min(...ratios) > 15, JSON.stringify(ratios));
  });

  test('a process of the model that is ended from outside is an error, or the classical method with a warning', async () => {
    const refused = refusalOf({ ...call(), method: 'neural' });
    process.kill(await untilInSegment(), 'SIGKILL');
    const { code, text } = await refused;
    assert.equal(code, 'model_failed', text);
    const separated = separateSong({ ...call(), method: 'auto' });
    process.kill(await untilInSegment(), 'SIGKILL');
    const { model, warnings } = await separated;
    assert.equal(model, CLASSICAL.model);
    assert.match(warnings![0]!, /was ended by SIGKILL\. The classical separation was used instead\./);
  });
});
