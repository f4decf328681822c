/**
 * Plans every pair and triple of a folder's songs by rules, checks the plans and prints a Markdown table:
 * `node scripts/plan-pairs.ts FOLDER`.
 *
 * FOLDER contains audio files, or folders of stems (vocals.ogg, drums.ogg, bass.ogg, other.ogg). Exits with 1 if a plan has
 * faults or repairs.
 */
import { describeMaterial } from '../music/plan/brief.ts';
import { songBars } from '../music/theory/bars.ts';
import { keyShift, parseKey } from '../music/theory/keys.ts';
import { sectionBpm } from '../music/plan/bars.ts';
import { checkPlan } from '../music/plan/checks.ts';
import { DEFAULT_PLAN_LIMITS } from '../music/plan/limits.ts';
import { producePlan } from '../music/producer/producer.ts';
import { matchTempo } from '../music/theory/tempo.ts';
import type { AnalyzedSong, Plan } from '../schema.ts';
import { markdownTable, readSongs, scorePairs } from './song-folder.ts';

/** Characters per token in dense JSON. */
const CHARACTERS_PER_TOKEN = 2.5;
/** Number of plans of each group, with different seeds. The table shows the first. */
const SEEDS = 20;

/** Returns all pairs and triples. */
function groupsOf(songs: readonly AnalyzedSong[]): AnalyzedSong[][] {
  const pairs = songs.flatMap((a, i) => songs.slice(i + 1).map((b) => [a, b]));
  const triples = songs.flatMap((a, i) =>
    songs.slice(i + 1).flatMap((b, j) => songs.slice(i + j + 2).map((c) => [a, b, c])),
  );
  return [...pairs, ...triples];
}

/** Lists the songs whose stem the plan uses. */
const songsWith = (plan: Plan, stem: string): string =>
  [
    ...new Set(
      plan.masterplan.timeline.flatMap(({ layers }) =>
        layers.filter((layer) => layer.stem === stem).map(({ songId }) => songId),
      ),
    ),
  ].join(', ');

/** Returns the largest stretch in per cent and the largest shift in semitones. */
function largestChanges(plan: Plan, songs: readonly AnalyzedSong[]): { stretch: string; shift: number } {
  const { global, timeline } = plan.masterplan;
  const target = parseKey(global.targetKey);
  const rates = timeline.flatMap((section) =>
    section.layers
      .filter(({ timing }) => timing !== 'free')
      .map(({ songId }) => songs.find((song) => song.song_id === songId))
      .map((song) => (song ? matchTempo(songBars(song.analysis).bpm, sectionBpm(global, section)).rate : 1)),
  );
  const shifts = songs.map((song) => {
    const key = parseKey(song.analysis.harmonic.key);
    return key && target ? Math.abs(keyShift(key, target)) : 0;
  });
  const stretch = Math.max(...rates.map((rate) => Math.max(rate, 1 / rate) - 1));
  return { stretch: `${(stretch * 100).toFixed(1)} %`, shift: Math.max(...shifts) };
}

const [folder] = process.argv.slice(2);
if (!folder) {
  process.stderr.write('Usage: node scripts/plan-pairs.ts FOLDER\n');
  process.exit(2);
}
const songs = await readSongs(folder);
let planned = 0;
let faulty = 0;
let seconds = 0;
const tokens: number[] = [];
const rows = groupsOf(songs).map((group) => {
  const scores = scorePairs(group);
  tokens.push(Math.round(describeMaterial(group, scores, DEFAULT_PLAN_LIMITS).length / CHARACTERS_PER_TOKEN));
  const start = performance.now();
  const plans = Array.from({ length: SEEDS }, (_, seed) =>
    producePlan({ songs: group, scores, limits: DEFAULT_PLAN_LIMITS, seed }),
  );
  seconds += (performance.now() - start) / 1000;
  const checked = plans.map((plan) => checkPlan(plan, group, DEFAULT_PLAN_LIMITS));
  planned += plans.length;
  faulty += checked.filter(({ faults, repairs }) => faults.length + repairs.length > 0).length;
  const [plan] = plans as [Plan];
  const { timeline, global } = plan.masterplan;
  const { stretch, shift } = largestChanges(plan, group);
  return {
    songs: group.map(({ song_id }) => song_id).join(' + '),
    vocals: songsWith(plan, 'vocals'),
    drums: songsWith(plan, 'drums'),
    bpm: [...new Set(timeline.map((section) => sectionBpm(global, section)))].join(', '),
    key: global.targetKey,
    stretch,
    shift,
    sections: timeline.length,
    seconds: Math.round(timeline.reduce((sum, section) => sum + section.duration_sec, 0)),
    faults: checked.reduce((sum, { faults }) => sum + faults.length, 0),
  };
});
process.stdout.write(`${markdownTable(rows)}\n\n`);
process.stdout.write(
  `${planned} plans (${SEEDS} seeds each), ${faulty} with faults or repairs; ${Math.round(planned / seconds)} plans/s; ` +
    `brief about ${Math.min(...tokens)} to ${Math.max(...tokens)} tokens.\n`,
);
process.exitCode = faulty > 0 ? 1 : 0;
