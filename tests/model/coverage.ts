/** What the sequences hit: each move and each fault must come often enough to count as attacked. */
import { STAGES } from '../../schema.ts';
import { isTerminal, POSITION } from './model.ts';
import type { Report } from './sequences.ts';

/** Over one run. */
const LEAST_HITS = 50;

const LIVE = STAGES.filter((stage) => !isTerminal(stage));
const MOVES = [
  'queued admit analyzing',
  'queued admit planning',
  'analyzing advance scoring',
  'scoring advance planning',
  'planning advance separating',
  'separating advance rendering',
  'rendering advance complete',
  'planning replan planning',
  'separating replan planning',
  ...LIVE.slice(1).map((from) => `${from} fail failed`),
  ...LIVE.map((from) => `${from} cancel cancelled`),
  ...STAGES.flatMap((from) => LIVE.filter((to) => POSITION[to] <= POSITION[from]).map((to) => `${from} replay ${to}`)),
];
const FAULTS = [
  'submitted',
  'draft submitted',
  'draft started',
  'draft expired',
  'iterated',
  'retried',
  'bulk retry',
  'bulk cancel',
  'bulk replay',
  'beat',
  'beat with news',
  'finished analyze',
  'finished score',
  'finished plan',
  'finished separate',
  'finished render',
  'fault: transient',
  'fault: overloaded',
  'fault: unavailable',
  'fault: permanent',
  'song dropped',
  'handed back',
  'worker left',
  'crash: lock free',
  'crash: silent worker',
  'crash: lease over',
  'task kills workers',
  'task timeout',
  'out of attempts',
  'task not needed',
  'late write refused',
  'late write against a new claim refused',
  'late wake-up refused',
  'claim deferred: paused',
  'claim deferred: alone',
  'claimed without its service',
  'circuit opened',
  'circuit closed',
  'probe failed',
  'paused system',
  'paused user',
  'paused job',
  'paused kind',
  'paused service',
  'resumed',
  'refused MB001',
  'refused MB003',
  'clock jump',
  'sweep',
  'queue emptied',
  'queue schema dropped',
  'queue schema back',
  'stems deleted',
  'user deleted',
  'job deleted',
  'race',
];

/** Moves and faults that came too seldom, with how often. */
export function missed(report: Report): string[] {
  return [...MOVES, ...FAULTS]
    .filter((name) => (report.hits.get(name) ?? 0) < LEAST_HITS)
    .map((name) => `${name}: ${report.hits.get(name) ?? 0}`);
}

/** The table of what was hit. */
export function explain(report: Report): string {
  const width = Math.max(...[...MOVES, ...FAULTS].map((name) => name.length));
  const rows = [...MOVES, ...FAULTS].map((name) => `  ${name.padEnd(width)} ${report.hits.get(name) ?? 0}`);
  return [
    `${report.sequences} sequences, ${report.commands} commands, ${report.turns / 2} turns, ${report.seconds.toFixed(1)} s`,
    ...rows,
  ].join('\n');
}
