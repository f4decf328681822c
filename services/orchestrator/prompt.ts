/** The prompt: instructions from `prompt/`, and songs, scores and wishes as data. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describeMaterial } from '../../music/plan/brief.ts';
import { describeEffects } from '../../music/plan/effects.ts';
import { cleanText } from '../../music/plan/text.ts';
import type { PlanRequest } from '../../schema.ts';

/** What a planner plans: songs, scores, limits and wishes. */
export type Brief = NonNullable<PlanRequest['mashup']>;
type Prompt = { system: string; user: string; version: string };

const MAX_FAULTS = 40;
const MAX_WISH_LENGTH = 2_000;

function readText(name: string): { text: string; version: string } {
  const raw = readFileSync(new URL(`./prompt/${name}.md`, import.meta.url), 'utf8');
  return {
    text: raw.replace(/<!--.*?-->\s*/gs, '').trim(),
    version: /version:\s*([\w.-]+)/.exec(raw)?.[1] ?? 'unknown',
  };
}

/** Whether an earlier plan is to be revised by feedback. */
export const isRevision = (brief: Brief): boolean => brief.previous !== undefined && Boolean(brief.feedback);

/** Whether the user asks for anything in words. */
export const hasWishes = (brief: Brief): boolean => Boolean(brief.wishes) || Boolean(brief.feedback);

/**
 * Builds the prompt. Texts of users (names, wishes, feedback) appear only inside the JSON of the material, where angle
 * brackets are escaped, so that no text can close the element.
 */
export function buildPrompt(brief: Brief): Prompt {
  const parts = [readText('producer')];
  if (isRevision(brief)) parts.push(readText('revise'));
  if (brief.roles) parts.push(readText('roles'));
  if (hasWishes(brief)) parts.push(readText('wishes'));
  if (brief.faults.length > 0) parts.push(readText('correct'));
  const system = parts
    .map(({ text }) => text)
    .join('\n\n')
    .replace('{{effects}}', describeEffects());
  const wanted: Record<string, unknown> = {
    material: JSON.parse(describeMaterial(brief.songs, brief.scores, brief.limits)) as unknown,
  };
  if (brief.length_sec !== undefined) wanted['wanted_length_sec'] = brief.length_sec;
  if (brief.wishes) wanted['wishes'] = cleanText(brief.wishes, MAX_WISH_LENGTH);
  if (brief.roles) wanted['roles'] = brief.roles;
  if (brief.previous) wanted['previous'] = brief.previous;
  if (brief.feedback) wanted['feedback'] = cleanText(brief.feedback, MAX_WISH_LENGTH);
  if (brief.faults.length > 0)
    wanted['faults'] = brief.faults.slice(0, MAX_FAULTS).map((fault) => cleanText(fault, 400));
  const data = JSON.stringify(wanted).replace(/</g, '\\u003c').replace(/>/g, '\\u003e');
  return {
    system,
    user: `<material>\n${data}\n</material>\n\nWrite the plan for this material.`,
    // The date is for readers. The hash changes with every edit of the texts.
    version: `${
      parts
        .map(({ version }) => version)
        .toSorted()
        .at(-1) ?? 'unknown'
    }+${createHash('sha256').update(system).digest('hex').slice(0, 8)}`,
  };
}
