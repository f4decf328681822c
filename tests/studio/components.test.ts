/** An existing frontend takes hooks and components over with the props that it has. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { estimateText } from '../../cli/progress/texts.ts';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import { producePlan } from '../../music/producer/producer.ts';
import { revisePlan } from '../../music/revision/revise.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import { spokenNotes } from '../../music/theory/spelling.ts';
import type { MashupJob } from '@mashup-engine/client';
import { separatorText } from '../../packages/react/components/result/separators.ts';
import { SUGGESTIONS } from '../../packages/react/components/result/suggestions.ts';
import { decibels, fileName, spokenTime } from '../../packages/react/texts.ts';
import { parseRoute } from '../../studio/src/hooks/useRoute.ts';
import { findFileProblem, songFromFile } from '../../packages/react/state/songs.ts';
import { makeSong } from '../music/arbitraries.ts';
import type { ExistingAnalysis, ExistingMashability, ExistingSection } from './contract-types.ts';
import type * as Frontend from './existing-frontend.tsx';

const ROOT = join(import.meta.dirname, '..', '..');
const SCRIPT_BUDGET = 200_000;
const SHARE_SCRIPT_BUDGET = 95_000;
const nothing = (): void => {};

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

test('a failed mashup offers what helps: a retry, or other words', () => {
  const actions = (errorCode: string, parentId: string | null): string[] => {
    const job = { status: 'failed', takedownReason: null, errorCode, parentId } as MashupJob;
    return [...frontend.renderActions(job).matchAll(/([A-Z][a-z ]+)<\/button>/g)].map(([, label]) => label ?? '');
  };
  assert.deepEqual(actions('service_failed', 'first'), ['Retry', 'Choose other songs']);
  for (const code of ['wish_changes_nothing', 'wish_not_understood', 'edit_not_possible']) {
    assert.deepEqual(actions(code, 'first'), ['Ask for something else', 'Choose other songs']);
    assert.deepEqual(actions(code, null), ['Start again with other wishes']);
  }
});

test('the hooks return the members of the existing hooks', () => {
  const { generator, analyzer } = frontend.hooks();
  const { generateMashup, setMashupResult, ...generated } = generator;
  assert.deepEqual([typeof generateMashup, typeof setMashupResult], ['function', 'function']);
  const { isProcessing, progress, processingStep, mashupResult, claudePlan, claudeThoughts } = generated;
  assert.deepEqual(
    { isProcessing, progress, processingStep, mashupResult, claudePlan, claudeThoughts },
    { isProcessing: false, progress: 0, processingStep: '', mashupResult: null, claudePlan: [], claudeThoughts: '' },
  );
  assert.deepEqual(
    [analyzer.isAnalyzing, typeof analyzer.analyzeSong, analyzer.getAnalysis('a'), [...analyzer.analyzedSongs]],
    [false, 'function', undefined, []],
  );
  const songs = ['a', 'b'].map((id) => ({ id, name: id, artist: '' }));
  const weights = { bpm: 0.3, key: 0.25, energy: 0.2, spectral: 0.15, rhythm: 0.1 };
  assert.deepEqual(analyzer.analyzeMashupCompatibility(songs, weights), { score: 0, reasons: [], suggestions: [] });
});

test('fewer than two or more than three songs are refused without a request', async () => {
  const { generator } = frontend.hooks();
  const song = (id: string) => ({ id, name: id, artist: '' });
  assert.equal(await generator.generateMashup([song('a')]), undefined);
  assert.equal(await generator.generateMashup(['a', 'b', 'c', 'd'].map(song)), undefined);
});

test('the zone accepts the existing props and offers creation from two songs on', () => {
  const props = { onRemoveSong: nothing, onClearAll: nothing, onSongAdd: nothing, allSongs: [], className: 'theirs' };
  const first = { id: 'a', name: 'First', artist: 'One' };
  const second = { id: 'b', name: 'Second', artist: 'Two', storage_path: 'uploads/x/b/second.mp3' };
  const html = frontend.render('MashupZone', { ...props, selectedSongs: [first, second] });
  assert.match(html, /theirs/);
  assert.match(html, /First/);
  assert.match(html, /Create the mashup/);
  assert.doesNotMatch(frontend.render('MashupZone', { ...props, selectedSongs: [first] }), /Create the mashup/);
});

test('the timeline draws contract sections, plain sections and a plan with real widths', async () => {
  const { from, to } = await contract<Record<'from' | 'to', ExistingSection[]>>('ui.mashup-sections.json');
  const plain = [
    { start: 0, duration: 10, description: 'Intro', layers: [{ stem: 'melody', volume: 0.5 }] },
    { start: 10, duration: 30, description: 'Drop', layers: [{ stem: 'vocals', volume: 1, effects: ['reverb'] }] },
  ];
  for (const timeline of [from, to, plain]) {
    const drawn = frontend.render('MashupTimeline', { timeline });
    assert.doesNotMatch(drawn, /NaN|undefined/);
    assert.equal(drawn.match(/data-testid="timeline-section"/g)?.length, timeline.length);
  }
  const html = frontend.render('MashupTimeline', { timeline: plain });
  assert.match(html, /width:25%/);
  assert.match(html, /width:75%/);
  assert.match(html, /opacity:0\.5/);
  assert.equal(frontend.render('MashupTimeline', { timeline: [] }), '');
  const still = [{ start: 0, duration: 0, description: 'Nothing', layers: [] }];
  assert.equal(frontend.render('MashupTimeline', { timeline: still }), '');
});

test('a track shows the analysis of the service, also of silence, and nothing without the four groups', async () => {
  const shown = async (file: string): Promise<string> => {
    const { analysis } = await contract<{ analysis: ExistingAnalysis }>(file);
    return frontend.render('TrackAnalysisDisplay', { analysis });
  };
  const usual = await shown('analysis.response.ok.json');
  assert.match(usual, /129 <span[^>]*>bpm/);
  assert.match(usual, /A minor/);
  for (const html of [usual, await shown('analysis.response.degenerate.json')]) {
    assert.doesNotMatch(html, /NaN|undefined|Infinity/);
    assert.match(html, /bpm/);
  }
  assert.equal(frontend.render('TrackAnalysisDisplay', { analysis: {} as ExistingAnalysis }), '');
});

test('screen readers read flats and sharps of keys as words, wherever a key is shown', async () => {
  const response = await contract<{ analysis: ExistingAnalysis }>('analysis.response.ok.json');
  const analysis = { ...response.analysis, harmonic: { ...response.analysis.harmonic, key: 'A# major' } };
  const flat = '<span aria-hidden="true">B♭</span><span class="sr-only select-none">B flat</span> m';
  assert.ok(frontend.render('TrackAnalysisDisplay', { analysis }).includes(`${flat}ajor`));
  const collaboration = {
    mashupConcept: 'In B♭ minor.',
    analysisData: [analysis],
    onIterationRequest: () => Promise.resolve(),
  };
  const asked = frontend.render('ClaudeCollaboration', collaboration);
  const withSongs = { ...collaboration, songs: [{ id: 'a', name: 'Halo', artist: '' }] };
  const named = frontend.render('ClaudeCollaboration', withSongs);
  assert.match(named, /Halo[^<]*<\/span><span[^>]*>\d+ bpm/, 'the facts of a song have its name');
  assert.ok(asked.includes(`${flat}ajor`) && asked.includes(`${flat}inor`));
  const warnings = [{ code: 'key', message: 'Parts are in B♭ minor.', task: 'render' }];
  assert.ok(frontend.renderWarnings({ warnings, songs: [] } as unknown as MashupJob).includes(`${flat}inor`));
  assert.equal(spokenNotes('C♯ minor and E♭, not AB♭'), 'C sharp minor and E flat, not AB♭');
});

test('a finished mashup shows its failed checks apart from its notes and the peculiarities of its songs', () => {
  const warnings = [
    { code: 'quality_check_failed', message: 'The voice does not fit.', stage: 'rendering' },
    { code: 'render_note', message: 'A bed was added.', stage: 'rendering' },
  ];
  const songs = [{ songId: 'a', name: 'Drive', warnings: ['One channel is silent.'] }];
  const html = frontend.renderWarnings({ warnings, songs } as unknown as MashupJob);
  assert.match(
    html,
    /fails quality checks.*Failed quality checks.*The voice does not fit\..*Notes.*A bed was added\./s,
  );
  assert.match(html, /Drive: One channel is silent\./);
  assert.equal(frontend.renderWarnings({ warnings: [], songs: [] } as unknown as MashupJob), '');
});

test('the remaining time gives way to what it waits for, on the page and in the command line', () => {
  const note = 'The time left is known when the rendering service is back.';
  const job = (change: Partial<MashupJob>): MashupJob =>
    ({
      status: 'processing',
      waitingOn: null,
      estimatedCompletionAt: null,
      estimateNote: note,
      ...change,
    }) as MashupJob;
  assert.match(frontend.renderCountdown(job({})), />The time left is known when the rendering service is back\.</);
  assert.equal(estimateText(job({})), 'the time left is known when the rendering service is back');
  // The step says the same.
  for (const waitingOn of ['circuit', 'pause'] as const) {
    assert.equal(frontend.renderCountdown(job({ waitingOn })), '');
    assert.equal(estimateText(job({ waitingOn })), '');
  }
  const known = job({ estimateNote: null, estimatedCompletionAt: new Date(Date.now() + 90_500).toISOString() });
  assert.match(frontend.renderCountdown(known), /about 1:\d\d left/);
  assert.match(estimateText(known), /^about 1 min/);
});

test('a result names what separated its songs, in words', () => {
  const songs = [
    { songId: 'a', name: 'Drive' },
    { songId: 'b', name: 'Kites' },
  ];
  const by = (...models: [string, 'classical' | 'neural' | 'own' | 'service'][]): string | undefined =>
    separatorText(Object.fromEntries(models.map(([model, method], i) => ['ab'[i]!, { model, method }])), songs);
  assert.equal(by(['dsp-4', 'classical'], ['dsp-4', 'classical']), 'Built-in method');
  assert.equal(by(['htdemucs-da9e5101', 'neural'], ['htdemucs-da9e5101', 'neural']), 'htdemucs');
  assert.equal(by(['own', 'own'], ['htdemucs-da9e5101', 'neural']), 'Drive: Your own stems · Kites: htdemucs');
  assert.equal(by(), undefined);
  assert.equal(separatorText(undefined, songs), undefined);
});

test('compatibility changes its text at 80, 60 and 40', () => {
  const texts = [80, 79, 60, 59, 40, 39].map((score) => {
    const props = { score, reasons: ['Far'], suggestions: ['Shift'], className: 'theirs' };
    return />([A-Z][^<]+)<\/p>/.exec(frontend.render('CompatibilityScore', props))?.[1];
  });
  assert.deepEqual(texts, ['Excellent match', 'Good match', 'Good match', 'Fair match', 'Fair match', 'Poor match']);
});

test("mashability shows the scoring service's response, also out of range, and nothing for null", async () => {
  const show = (mashabilityResult: ExistingMashability | null): string =>
    frontend.render('MashabilityDisplay', { mashabilityResult, onWeightsChange: nothing });
  const html = show(await contract<ExistingMashability>('scoring.response.ok.json'));
  for (const part of ['66.5', '70.8', 'key compatibility', '0.95']) assert.ok(html.includes(part), part);
  assert.doesNotMatch(show(await contract<ExistingMashability>('scoring.response.out-of-range.json')), /NaN|undefined/);
  assert.equal(show(null), '');
});

test('the other components accept the existing props', () => {
  assert.match(frontend.render('ClaudeMonitor', { plan: ['Intro'], thoughts: 'Calm first' }), /Calm first.*Intro/s);
  const features = {
    tempo: 128,
    energy: 0.5,
    danceability: 0.5,
    valence: 0.5,
    speechiness: 0.5,
    acousticness: 0.5,
    genre: 'A minor',
  };
  assert.match(frontend.render('AudioAnalysisDisplay', { features }), /128 bpm/);
});

test('the collaboration shows a badge for each song, and six suggestions or the given ones', async () => {
  const { analysis } = await contract<{ analysis: ExistingAnalysis }>('analysis.response.ok.json');
  const props = {
    mashupConcept: 'A concept',
    analysisData: [undefined, analysis],
    onIterationRequest: () => Promise.resolve(),
  };
  const own = frontend.render('ClaudeCollaboration', { ...props, quickSuggestions: ['Louder'] });
  assert.match(own, /A concept.*129.*bpm.*A minor.*99 %.*Louder/s);
  const usual = frontend.render('ClaudeCollaboration', props);
  assert.equal(SUGGESTIONS.length, 6);
  for (const text of SUGGESTIONS) assert.ok(usual.includes(text), text);
});

test('planning by rules understands each suggestion', () => {
  const songs = [makeSong('a', { vocals: 0.8 }), makeSong('b', { vocals: 0.05, bpm: 124 })];
  const scores = [scorePair(songs[0]!, songs[1]!)];
  const plan = producePlan({ songs, scores, limits: DEFAULT_PLAN_LIMITS, seed: 2 });
  for (const feedback of SUGGESTIONS) {
    const { changes, cannot } = revisePlan({ plan, feedback, songs, limits: DEFAULT_PLAN_LIMITS });
    assert.deepEqual([changes.length, cannot], [1, []], feedback);
  }
});

test('first paint needs less than 200 kB of script, and the page of a shared mashup less than 95 kB, without the operator page and what plays stems', async (t) => {
  const built = await build({
    configFile: join(ROOT, 'studio', 'vite.config.ts'),
    logLevel: 'error',
    build: { write: false },
  });
  const { output } = (Array.isArray(built) ? built[0] : built) as {
    output: { type: string; fileName: string; isEntry?: boolean; code?: string; imports?: string[] }[];
  };
  const scriptOf = (name: RegExp): string => {
    const entry = output.find((file) => file.isEntry && name.test(file.fileName));
    const first = output.filter((file) => file === entry || entry?.imports?.includes(file.fileName));
    assert.ok(first.length > 1, String(name));
    return first.map(({ code }) => code ?? '').join('\n');
  };
  const script = scriptOf(/^assets\/index-/);
  const shared = scriptOf(/^share\/page\.js$/);
  for (const [text, budget] of [
    [script, SCRIPT_BUDGET],
    [shared, SHARE_SCRIPT_BUDGET],
  ] as const) {
    const gzipped = gzipSync(text).length;
    t.diagnostic(`${gzipped} bytes of script, gzipped`);
    assert.ok(gzipped > 10_000 && gzipped < budget, `${gzipped} bytes`);
  }
  assert.ok(output.some((file) => file.fileName === 'share/page.css'));
  assert.doesNotMatch(shared, /signInAnonymously/, 'a visitor of a shared mashup has no session');
  assert.doesNotMatch(script, /operator_overview/);
  assert.doesNotMatch(script, /does not decode a stem/);
  assert.doesNotMatch(script, /ZodError/, 'no zod schema is in the first script');
});

test('files are checked by content, and their names give artist and title', async () => {
  const example = await readFile(join(ROOT, 'examples', 'slow-harbor.ogg'));
  assert.equal(await findFileProblem(new File([example], 'whatever.txt')), undefined);
  assert.match((await findFileProblem(new File(['<svg/>'], 'song.mp3')))?.message ?? '', /not an audio file/);
  assert.match((await findFileProblem(new File([], 'song.mp3')))?.message ?? '', /empty/);
  const { name, artist } = await songFromFile(new File([example], '01 - Some One - A Song (final).mp3'));
  assert.deepEqual({ name, artist }, { name: 'A Song', artist: 'Some One' });
});

test('numbers, file names and routes are formatted and parsed', () => {
  assert.equal(decibels(-3), '-3 dB');
  assert.equal(fileName('A/B: "C" × D', 'mp3'), 'A B C × D.mp3');
  assert.equal(spokenTime(65), '1 minute 5 seconds');
  assert.equal(spokenTime(200.9), '3 minutes 21 seconds', 'rounded like the time that is shown');
  assert.deepEqual([0, 1, 60, 121].map(spokenTime), ['0 seconds', '1 second', '1 minute', '2 minutes 1 second']);
  assert.deepEqual(parseRoute('#/mashup/abc'), { page: 'mashup', id: 'abc', query: '' });
  assert.deepEqual(parseRoute('#/nonsense'), { page: 'make', id: undefined, query: '' });
  assert.deepEqual(parseRoute('#/library?search=a/b'), { page: 'library', id: undefined, query: 'search=a/b' });
});
