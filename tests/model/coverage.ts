/** Coverage of the sequences: each transition and each fault must occur often enough to count as tested. */
import { STAGES } from '../../schema.ts';
import { isTerminal, POSITION } from './model.ts';
import type { Report } from './sequences.ts';

const LIVE = STAGES.filter((stage) => !isTerminal(stage));
const TRANSITIONS = [
  'queued admit analyzing',
  'queued admit planning',
  'analyzing advance scoring',
  'scoring advance planning',
  'planning advance separating',
  'separating advance rendering',
  'rendering advance complete',
  'planning replan planning',
  'separating replan planning',
  'rendering remake separating',
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
  'edited',
  'retried',
  'bulk retry',
  'bulk cancel',
  'bulk replay',
  'heartbeat',
  'heartbeat with progress',
  'finished analyze',
  'finished score',
  'finished plan',
  'finished separate',
  'finished render',
  'parts published',
  'opening reported',
  'opening begun',
  'opening published',
  'handed over',
  'finish repeated',
  'unknown claim returned',
  'fault: transient',
  'fault: overloaded',
  'fault: unavailable',
  'fault: permanent',
  'song excluded',
  'task returned',
  'worker deregistered',
  'crash: lock free',
  'crash: silent worker',
  'crash: lease expired',
  'task kills workers',
  'task timeout',
  'out of attempts',
  'task not needed',
  'late write refused',
  'late write against a new claim refused',
  'late queue entry refused',
  'claim deferred: paused',
  'claim deferred: soloRun',
  'claimed as a fallback',
  'fault: refused',
  'claim deferred: circuit',
  'storage failed',
  'storage is back',
  'stems missing twice',
  'part separated',
  'studio version begun',
  'studio version ready',
  'studio version failed',
  'studio version cancelled',
  'studio version replayed',
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
  'queue schema missing',
  'queue schema back',
  'shared',
  'shared again',
  'link revoked',
  'stems deleted',
  'user deleted',
  'job deleted',
  'race',
];

/** Returns the transitions and faults that occurred fewer than `minShare` times for each sequence, with their counts. */
export function tooRare(report: Report, minShare: number): string[] {
  return [...TRANSITIONS, ...FAULTS]
    .filter((name) => (report.hits.get(name) ?? 0) < minShare * report.sequences)
    .map((name) => `${name}: ${report.hits.get(name) ?? 0}`);
}

/** Formats the counts as a table. */
export function formatCoverage(report: Report): string {
  const width = Math.max(...[...TRANSITIONS, ...FAULTS].map((name) => name.length));
  const rows = [...TRANSITIONS, ...FAULTS].map((name) => `  ${name.padEnd(width)} ${report.hits.get(name) ?? 0}`);
  return [
    `${report.sequences} sequences, ${report.commands} commands, ${report.steps / 2} turns, ${report.seconds.toFixed(1)} s`,
    ...rows,
  ].join('\n');
}
