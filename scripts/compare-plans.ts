/**
 * Requests plans from Claude through the real API and prints them and the rule-based plan as Markdown:
 * `node scripts/compare-plans.ts [FOLDER] [--models a,b] [--wishes "…"]`.
 *
 * FOLDER contains two or three audio files or folders of stems; default `examples/`. Needs ANTHROPIC_API_KEY. Each model
 * takes one to three calls; the last line has their total cost.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkPlan } from '../music/plan/checks.ts';
import { DEFAULT_PLAN_LIMITS } from '../music/plan/limits.ts';
import type { Plan, PlanResponse } from '../schema.ts';
import { ServiceError } from '../services/http/errors.ts';
import { askClaude } from '../services/orchestrator/claude.ts';
import type { Brief } from '../services/orchestrator/prompt.ts';
import { planByRules } from '../services/orchestrator/rules.ts';
import { readSettings, type ClaudeSettings } from '../services/orchestrator/settings.ts';
import { markdownTable, readSongs, scorePairs } from './song-folder.ts';

/** How often faults are sent back, as in a job. */
const MAX_CORRECTIONS = 2;
const SEED = 1;

type Outcome = {
  planner: string;
  plan: Plan | undefined;
  /** Number of faults of each response, in order. */
  faults: number[];
  repairs: number;
  input: number;
  output: number;
  costUsd: number;
  seconds: number;
  /** Empty, or why there is no plan. */
  error: string;
};

const log = (text: string): void => void process.stderr.write(`${text}\n`);

/** Requests a plan until it passes the checks, at most 1 + MAX_CORRECTIONS times. */
async function outcomeOf(
  planner: string,
  brief: Brief,
  ask: (brief: Brief) => Promise<PlanResponse>,
): Promise<Outcome> {
  const outcome: Outcome = {
    planner,
    plan: undefined,
    faults: [],
    repairs: 0,
    input: 0,
    output: 0,
    costUsd: 0,
    seconds: 0,
    error: '',
  };
  const start = performance.now();
  let faults: string[] = [];
  try {
    while (!outcome.plan && outcome.faults.length <= MAX_CORRECTIONS) {
      const answer = await ask({ ...brief, faults });
      addUsage(outcome, answer.usage);
      const checked = checkPlan(answer, brief.songs, brief.limits);
      faults = checked.faults;
      outcome.plan = checked.plan;
      outcome.repairs = checked.repairs.length;
      outcome.faults.push(faults.length);
      for (const fault of faults) log(`  ${planner}: ${fault}`);
    }
  } catch (error) {
    // Refused and truncated responses cost tokens too.
    if (error instanceof ServiceError) addUsage(outcome, error.extra['usage'] as PlanResponse['usage']);
    outcome.error = error instanceof Error ? error.message : String(error);
  }
  outcome.seconds = (performance.now() - start) / 1000;
  return outcome;
}

function addUsage(outcome: Outcome, usage: PlanResponse['usage']): void {
  outcome.input += usage?.input_tokens ?? 0;
  outcome.output += usage?.output_tokens ?? 0;
  outcome.costUsd += usage?.cost_usd ?? 0;
}

function rowOf(outcome: Outcome): Record<string, string | number> {
  const { plan, faults, input, output, costUsd } = outcome;
  const timeline = plan?.masterplan.timeline ?? [];
  const layers = timeline.flatMap((section) => section.layers);
  const energies = timeline.map((section) => section.energy_level);
  return {
    planner: outcome.planner,
    title: (plan?.masterplan.title ?? (outcome.error || 'no usable plan')).replaceAll('|', '/'),
    bpm: plan?.masterplan.global.targetBPM ?? '',
    key: plan?.masterplan.global.targetKey ?? '',
    sections: timeline.length,
    seconds: Math.round(timeline.reduce((sum, section) => sum + section.duration_sec, 0)),
    'layers/section': timeline.length === 0 ? '' : (layers.length / timeline.length).toFixed(1),
    effects: layers.reduce((sum, layer) => sum + layer.effects.length, 0),
    energy: energies.length === 0 ? '' : `${Math.min(...energies)} to ${Math.max(...energies)}`,
    faults: faults.join(', then '),
    repairs: outcome.repairs,
    'tokens in/out': `${input}/${output}`,
    'US dollars': costUsd.toFixed(3),
    'took (s)': outcome.seconds.toFixed(1),
  };
}

function settingsOrExit(): ClaudeSettings {
  const settings = readSettings(process.env);
  if (settings) return settings;
  log(
    'This script calls Claude through the real API and needs ANTHROPIC_API_KEY (https://console.anthropic.com, "API keys").\n' +
      'Set it and run again: ANTHROPIC_API_KEY=… node scripts/compare-plans.ts\n' +
      'MASHUP_CLAUDE_MODEL or --models a,b choose models; a plan costs about 0.05 to 0.30 US dollars.',
  );
  process.exit(2);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { models: { type: 'string' }, wishes: { type: 'string' } },
});
const settings = settingsOrExit();
const folder = positionals[0] ?? join(import.meta.dirname, '..', 'examples');
const songs = (await readSongs(folder)).slice(0, 3);
if (songs.length < 2) {
  log(`${folder} contains fewer than two songs (mp3, ogg, flac, wav, or folders of stems).`);
  process.exit(2);
}
const brief: Brief = {
  songs,
  scores: scorePairs(songs),
  limits: DEFAULT_PLAN_LIMITS,
  seed: SEED,
  faults: [],
  ...(values.wishes === undefined ? {} : { wishes: values.wishes }),
};
const outcomes = [await outcomeOf('rules', brief, (each) => Promise.resolve(planByRules(each)))];
for (const model of values.models?.split(',') ?? [settings.model])
  outcomes.push(
    await outcomeOf(model, brief, (each) =>
      askClaude(each, { ...settings, model }, new AbortController().signal, (message) => log(`  ${message}`)),
    ),
  );

process.stdout.write(`${markdownTable(outcomes.map(rowOf))}\n`);
for (const { planner, plan } of outcomes) {
  if (!plan) continue;
  process.stdout.write(`\n## ${planner}: ${plan.masterplan.title}\n\n${plan.creative_vision}\n\n`);
  for (const { time_start_sec, description, energy_level, layers } of plan.masterplan.timeline)
    process.stdout.write(
      `- ${time_start_sec.toFixed(1)} s (${energy_level}) ${description}: ${layers.map(({ songId, stem }) => `${songId} ${stem}`).join(', ')}\n`,
    );
}
const total = outcomes.reduce((sum, { costUsd }) => sum + costUsd, 0);
process.stdout.write(`\nCost by list price: ${total.toFixed(3)} US dollars.\n`);
process.exitCode = outcomes.every(({ plan }) => plan) ? 0 : 1;
