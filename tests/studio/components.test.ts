/** An existing frontend takes hooks and components over with the props that it has. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import type { MashupSection } from '../../music/timeline.ts';
import { decibels, effectInWords, fileName } from '../../studio/src/words.ts';
import { parseRoute } from '../../studio/src/hooks/useRoute.ts';
import { refuseFile, songFromFile } from '../../studio/src/state/songs.ts';
import type * as Frontend from './existing-frontend.tsx';

const ROOT = join(import.meta.dirname, '..', '..');
const SCRIPT_BUDGET = 250_000;

let folder: string;
let frontend: typeof Frontend;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mashup-components-'));
  await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    esbuild: { jsx: 'automatic' },
    ssr: { noExternal: true },
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      ssr: join(import.meta.dirname, 'existing-frontend.tsx'),
      outDir: folder,
      emptyOutDir: true,
      minify: false,
    },
  });
  frontend = (await import(pathToFileURL(join(folder, 'existing-frontend.js')).href)) as typeof Frontend;
});

after(() => rm(folder, { recursive: true, force: true }));

const contract = async <T>(name: string): Promise<T> =>
  JSON.parse(await readFile(join(ROOT, 'tests', 'fixtures', 'contracts', name), 'utf8')) as T;

test('useMashupGenerator answers what the existing hook answers', () => {
  const members = frontend.hookMembers().generator;
  const expected = {
    generateMashup: 'function',
    isProcessing: 'boolean',
    progress: 'number',
    processingStep: 'string',
    mashupResult: 'null',
    setMashupResult: 'function',
    claudePlan: 'array',
    claudeThoughts: 'string',
  };
  for (const [name, type] of Object.entries(expected)) assert.equal(members[name], type, name);
});

test('useAudioAnalysis answers what the existing hook answers', () => {
  const members = frontend.hookMembers().analysis;
  const expected = {
    isAnalyzing: 'boolean',
    analyzeSong: 'function',
    getAnalysis: 'function',
    analyzedSongs: 'map',
    analyzeMashupCompatibility: 'function',
  };
  for (const [name, type] of Object.entries(expected)) assert.equal(members[name], type, name);
});

test('the zone takes the existing props and offers to create from two songs on', () => {
  const html = frontend.render.zone();
  assert.match(html, /theirs/);
  assert.match(html, /First/);
  assert.match(html, /Create the mashup/);
});

test('the timeline draws the fixture with real widths, and plain sections without songs', async () => {
  const { to } = await contract<{ to: MashupSection[] }>('ui.mashup-sections.json');
  const plain = [
    { start: 0, duration: 10, description: 'Intro', layers: [{ stem: 'drums', volume: 0.5 }] },
    { start: 10, duration: 30, description: 'Drop', layers: [{ stem: 'vocals', volume: 1, effects: ['reverb'] }] },
  ];
  for (const timeline of [to, plain]) {
    const drawn = frontend.render.timeline(timeline);
    assert.doesNotMatch(drawn, /NaN|undefined/);
    assert.equal(drawn.match(/data-testid="timeline-section"/g)?.length, timeline.length);
  }
  const html = frontend.render.timeline(plain);
  assert.match(html, /width:25%/);
  assert.match(html, /width:75%/);
  assert.match(html, /opacity:0\.5/);
  assert.equal(frontend.render.timeline([]), '');
});

test('a track is shown as the analysis service answers it, and not at all without its four groups', async () => {
  const { analysis } = await contract<{ analysis: Parameters<typeof frontend.render.track>[0] }>(
    'analysis.response.ok.json',
  );
  assert.match(frontend.render.track(analysis), /bpm/);
  assert.doesNotMatch(frontend.render.track(analysis), /NaN|undefined/);
  assert.equal(frontend.render.track({} as typeof analysis), '');
});

test('compatibility changes its words at 80, 60 and 40', () => {
  const words = [80, 79, 60, 59, 40, 39].map(
    (score) => />([A-Z][^<]+)<\/p>/.exec(frontend.render.compatibility(score))?.[1],
  );
  assert.deepEqual(words, ['Made for each other', 'A good match', 'A good match', 'Workable', 'Workable', 'A stretch']);
});

test('the other components take their props', () => {
  assert.match(frontend.render.monitor(), /Calm first.*Intro/s);
  assert.match(frontend.render.collaboration(), /A concept.*Louder/s);
  assert.match(frontend.render.mashability(), /71\.3/);
  assert.match(frontend.render.features(), /128 bpm/);
});

test('first paint needs less than 250 kB of script, and the operator page comes apart', async () => {
  const answer = await build({
    configFile: join(ROOT, 'studio', 'vite.config.ts'),
    logLevel: 'error',
    build: { write: false },
  });
  const { output } = (Array.isArray(answer) ? answer[0] : answer) as {
    output: { type: string; fileName: string; isEntry?: boolean; code?: string }[];
  };
  const scripts = output.filter((file) => file.type === 'chunk');
  const entry = scripts.find((file) => file.isEntry);
  const gzipped = gzipSync(entry?.code ?? '').length;
  assert.ok(gzipped > 10_000 && gzipped < SCRIPT_BUDGET, `${gzipped} bytes`);
  assert.doesNotMatch(entry?.code ?? '', /operator_overview/);
});

test('files are told apart by content, and named by artist and title', async () => {
  const example = await readFile(join(ROOT, 'examples', 'slow-harbor.ogg'));
  assert.equal(await refuseFile(new File([example], 'whatever.txt')), undefined);
  assert.match((await refuseFile(new File(['<svg/>'], 'song.mp3')))?.message ?? '', /not audio/);
  assert.match((await refuseFile(new File([], 'song.mp3')))?.message ?? '', /empty/);
  const { name, artist } = songFromFile(new File([example], 'Some One - A Song.mp3'));
  assert.deepEqual({ name, artist }, { name: 'A Song', artist: 'Some One' });
});

test('figures and names are put in words', () => {
  assert.equal(decibels(-3), '-3 dB');
  assert.equal(effectInWords('lowpass_sweep(from=250,to=6000)'), 'lowpass sweep (from 250, to 6000)');
  assert.equal(fileName('A/B: "C" × D', 'mp3'), 'A B C D.mp3');
  assert.deepEqual(parseRoute('#/mashup/abc'), { page: 'mashup', id: 'abc' });
  assert.deepEqual(parseRoute('#/nonsense'), { page: 'make', id: undefined });
});
