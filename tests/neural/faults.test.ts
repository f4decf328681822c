/** What a model that cannot be used does to a separation: an error with a code, or the classical method with a warning. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { STEMS } from '../../schema.ts';
import { CLASSICAL } from '../../services/separation/classical.ts';
import { assertMemory } from '../../services/separation/neural/memory.ts';
import { createSeparationServer } from '../../services/separation/server.ts';
import { readSeparationSettings } from '../../services/separation/settings.ts';
import type { SeparationSettings } from '../../services/separation/settings.ts';
import { listen } from '../../bench/store.ts';
import { playBand } from '../audio-in/signals.ts';
import { modelsFolder } from './installed-models.ts';
import { closeServer, openStore, refusalOf, separateSong, stemsIn } from './separation-calls.ts';
import { BROKEN_FILES, FAILING, hybridFile, OTHER_FORMS, waveFile } from './small-graphs.ts';

const [left, right] = [0, 4].map((tonic) => playBand({ bpm: 120, tonic, seconds: 6 }).samples) as [
  Float32Array,
  Float32Array,
];
const store = await openStore(encodeWav16([left, right], SAMPLE_RATE));
const folder = await mkdtemp(join(tmpdir(), 'mashup-small-graphs-'));
after(async () => {
  store.close();
  await rm(folder, { recursive: true });
});

let files = 0;

/** Settings with a graph as the model. */
async function settingsFor(graph: Uint8Array): Promise<SeparationSettings> {
  const model = join(folder, `graph ${++files}.onnx`);
  await writeFile(model, graph);
  return { ...readSeparationSettings({}), model, modelsDir: modelsFolder() };
}

/** Runs a service with settings. */
async function withService<T>(settings: SeparationSettings, use: (service: string) => Promise<T>): Promise<T> {
  const server = createSeparationServer(settings);
  try {
    return await use(await listen(server));
  } finally {
    closeServer(server);
  }
}

/** Checks that `neural` is refused with a code, and that `auto` separates classically and says why. */
async function assertFault(settings: SeparationSettings, code: string, status = 400): Promise<string> {
  return withService(settings, async (service) => {
    const refusal = await refusalOf({ service, store, method: 'neural' });
    assert.deepEqual({ code: refusal.code, status: refusal.status }, { code, status }, refusal.text);
    assert.ok(!refusal.text.includes(folder), refusal.text);
    const { model, warnings = [] } = await separateSong({ service, store, method: 'auto' });
    assert.equal(model, CLASSICAL.model);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /The classical separation was used instead\. /);
    assert.ok(!warnings[0]!.includes(folder), warnings[0]);
    return warnings[0]!;
  });
}

/** The first and the last frames of a spectrogram are not covered by all windows, as in Demucs. Joins of segments hide most of it. */
const EDGE = 1536;

/** Largest difference between a stem and the song times a gain, without the edges of the song. */
function errorOf(stem: readonly Float32Array[], gain: number): number {
  const errors = [left, right].map((song, c) =>
    song.map((value, i) => Math.abs(stem[c]![i]! - gain * value)).subarray(EDGE, -EDGE),
  );
  return Math.max(...errors.map((samples) => samples.reduce((max, value) => Math.max(max, value), 0)));
}

const FORMS = {
  'sound in, sound out': { graph: waveFile([0.1, 0.2, 0.3, 0.4]), error: 1e-4 },
  'sound and a spectrogram': { graph: hybridFile([0.05, 0.2, 0.1, 0.1], [0.05, 0, 0.2, 0.3]), error: 5e-3 },
};
for (const [title, { graph, error }] of Object.entries(FORMS)) {
  test(`a model of the form "${title}" separates a song into stems that sum to it`, async () => {
    await withService(await settingsFor(graph), async (service) => {
      const { model, warnings } = await separateSong({ service, store, method: 'neural' });
      assert.match(model!, /^graph_\d+-[0-9a-f]{8}$/);
      assert.deepEqual(warnings, []);
    });
    const stems = await stemsIn(store);
    const gains = { drums: 0.1, bass: 0.2, other: 0.3, vocals: 0.4 };
    for (const stem of STEMS)
      assert.ok(errorOf(stems[stem], gains[stem]) < error, `${stem}: ${errorOf(stems[stem], gains[stem])}`);
  });
}

for (const [title, graph] of Object.entries(BROKEN_FILES))
  test(`a model that is ${title} is refused as broken`, async () => {
    await assertFault(await settingsFor(graph), 'model_broken');
  });

for (const [title, graph] of Object.entries(OTHER_FORMS))
  test(`a graph with ${title} is refused as of another form`, async () => {
    await assertFault(await settingsFor(graph), 'model_unknown_form');
  });

for (const [title, graph] of Object.entries(FAILING))
  test(`a graph with ${title} fails`, async () => {
    await assertFault(await settingsFor(graph), 'model_failed');
  });

test('an execution provider that the machine does not have is named', async () => {
  const settings = await settingsFor(waveFile([0.1, 0.2, 0.3, 0.4]));
  for (const provider of [process.platform === 'darwin' ? 'dml' : 'coreml', 'cuda'] as const)
    assert.match(await assertFault({ ...settings, provider }, 'model_provider_missing'), new RegExp(provider));
});

test('a model without its runtime is refused', async () => {
  const settings = await settingsFor(waveFile([0.1, 0.2, 0.3, 0.4]));
  await assertFault({ ...settings, modelsDir: folder }, 'model_runtime_missing');
});

test('a model that is not there is refused', async () => {
  await assertFault({ ...readSeparationSettings({}), model: join(folder, 'none.onnx') }, 'model_missing');
  await assertFault({ ...readSeparationSettings({}), model: 'htdemucs', modelsDir: folder }, 'model_missing');
});

test('a model whose file cannot be read is refused', async () => {
  const model = join(folder, 'folder.onnx');
  await mkdir(model);
  await assertFault({ ...readSeparationSettings({}), model }, 'model_broken');
});

test('without a chosen model `neural` is refused, and `auto` separates classically without a warning', async () => {
  await withService({ ...readSeparationSettings({}), modelsDir: folder }, async (service) => {
    assert.equal((await refusalOf({ service, store, method: 'neural' })).code, 'model_missing');
    assert.deepEqual((await separateSong({ service, store })).warnings, []);
  });
});

test('a model is not started where memory is short, and the request may be repeated', async (t) => {
  assert.throws(() => assertMemory(1e9), { code: 'model_memory' });
  t.mock.method(process, 'availableMemory', () => 1e9);
  const warning = await assertFault(await settingsFor(waveFile([0.1, 0.2, 0.3, 0.4])), 'model_memory', 503);
  assert.match(warning, /1\.0 GB are free/);
});
