/** Revision by rules: finds common wishes in the feedback and applies them to a plan. Everything else stays as it is. */
import type { AnalyzedSong, Plan, PlanLimits, Stem } from '../../schema.ts';
import { nearestEffect } from '../plan/effects.ts';
import { chooseParts } from '../theory/parts.ts';
import { checkPlan } from '../plan/checks.ts';
import { resolveSong, resolveStem } from '../plan/names.ts';
import {
  changeEnergy,
  changeKey,
  changeLength,
  changeStem,
  changeTempo,
  makeSmoother,
  onlySongsStem,
  removeEffects,
  removeStem,
  type RevisionContext,
  type RuleResult,
} from './rules.ts';

/** A plan to revise by the user's feedback. */
export type RevisionRequest = { plan: Plan; feedback: string; songs: readonly AnalyzedSong[]; limits: PlanLimits };
/** `changes` lists what changed, `cannot` the wishes that could not be applied: sentences for the user. */
export type Revision = { plan: Plan; changes: string[]; cannot: string[] };

const MAX_FEEDBACK_LENGTH = 2_000;
const SUPPORTED_WISHES =
  'more or less energy, vocals, bass or drums; slower, faster or a tempo in bpm; longer, shorter or a length in seconds; ' +
  'a key; smoother; without effects; only the drums (or another stem) of one song';

type Rule = { matches: RegExp; apply: (plan: Plan, match: RegExpExecArray, context: RevisionContext) => RuleResult };

const MORE = '(?:more|louder|stronger|bigger|boost(?: the)?|turn up(?: the)?|add(?: some)?)';
const LESS = '(?:less|fewer|quieter|softer|turn down(?: the)?|reduce(?: the)?)';
const STEM_NAME = '(vocals?|voices?|singing|drums?|beats?|percussion|bass|melody|harmony|instruments?|synths?)';

const stemRules = (pattern: string, act: (plan: Plan, stem: Stem, context: RevisionContext) => RuleResult): Rule => ({
  matches: new RegExp(pattern, 'i'),
  apply: (plan, match, context) => {
    const word = match[1] ?? match[2] ?? '';
    const stem = resolveStem(word) ?? resolveStem(word.replace(/s$/, ''));
    return stem ? act(plan, stem, context) : { cannot: `"${word}" is no stem.` };
  },
});

/** In order of application: first song and stem choices, then levels, then tempo and length. */
const RULES: readonly Rule[] = [
  {
    matches:
      /\b(?:only|just)(?: use)?(?: the)? (?:([\w .&-]{1,60}?)(?:'s|’s|s')) (vocals?|drums?|beats?|bass|melody|harmony)\b/i,
    apply: (plan, match, context) => onlyFrom(plan, match[1] ?? '', match[2] ?? '', context),
  },
  {
    matches:
      /\b(?:only|just)(?: use)?(?: the)? (vocals?|drums?|beats?|bass|melody|harmony) (?:of|from) ([\w .&-]{1,60}?)(?:[.,;!]|$| and\b)/i,
    apply: (plan, match, context) => onlyFrom(plan, match[2] ?? '', match[1] ?? '', context),
  },
  {
    matches: /\b(?:without|no|remove(?: all| the)?|drop(?: all| the)?) (?:any )?(?:effects?|fx)\b/i,
    apply: (plan) => removeEffects(plan),
  },
  {
    matches:
      /\b(?:without|no|remove(?: the)?) (reverb|delay|echo(?:es)?|sidechain|pumping|riser|stutter|gate|filters?)\b/i,
    apply: (plan, match) => removeEffects(plan, nearestEffect(match[1] ?? '')?.name),
  },
  stemRules(`\\b(?:without|no|remove(?: the)?) ${STEM_NAME}\\b`, (plan, stem) => removeStem(plan, stem)),
  { matches: /\binstrumental\b/i, apply: (plan) => removeStem(plan, 'vocals') },
  stemRules(`\\b${MORE} ${STEM_NAME}\\b|\\b${STEM_NAME} (?:louder|up)\\b`, (plan, stem, context) =>
    changeStem(plan, stem, 1, context),
  ),
  stemRules(`\\b${LESS} ${STEM_NAME}\\b|\\b${STEM_NAME} (?:softer|quieter|down)\\b`, (plan, stem, context) =>
    changeStem(plan, stem, -1, context),
  ),
  {
    matches: /\b(?:more (?:energy|energetic|power|drive|punch|intense)|energetic|harder|wilder|danceable)\b/i,
    apply: (plan, _, context) => changeEnergy(plan, 1, context),
  },
  {
    matches: /\b(?:less energy|less energetic|calmer|chill(?:er|ed)?|relax(?:ed)?)\b/i,
    apply: (plan, _, context) => changeEnergy(plan, -1, context),
  },
  { matches: /\b(?:smooth(?:er)?|gentler|softer transitions?)\b/i, apply: (plan) => makeSmoother(plan) },
  {
    matches: /\b(\d{2,3}(?:\.\d+)?) ?bpm\b/i,
    apply: (plan, match, context) => changeTempo(plan, Number(match[1]), context),
  },
  { matches: /\bslower\b|\bslow (?:it )?down\b/i, apply: (plan, _, context) => changeTempo(plan, 'slower', context) },
  { matches: /\bfaster\b|\bspeed (?:it )?up\b/i, apply: (plan, _, context) => changeTempo(plan, 'faster', context) },
  { matches: /\bin ([a-g][#b♯♭]? ?(?:major|minor))\b/i, apply: (plan, match) => changeKey(plan, match[1] ?? '') },
  {
    matches: /\b(\d{2,3}) ?(?:s|sec|seconds)\b/i,
    apply: (plan, match, context) => changeLength(plan, Number(match[1]), context),
  },
  { matches: /\b(?:longer|extend)\b/i, apply: (plan, _, context) => changeLength(plan, 'longer', context) },
  { matches: /\b(?:shorter|shorten)\b/i, apply: (plan, _, context) => changeLength(plan, 'shorter', context) },
];

/** Applies `only SONG's STEM`. The song may be named by its artist. */
function onlyFrom(plan: Plan, songName: string, stemName: string, { songs }: RevisionContext): RuleResult {
  const name = songName.trim();
  const artists = songs.filter((each) => each.artist.toLowerCase() === name.toLowerCase());
  const song = resolveSong(name, songs) ?? (artists.length === 1 ? artists[0] : undefined);
  if (!song) return { cannot: `No song is called "${name.slice(0, 60)}": use its name, or song 1, song 2.` };
  const stem = resolveStem(stemName) ?? 'drums';
  return onlySongsStem(plan, stem, song);
}

/**
 * Revises a plan by the wishes in the feedback. A change after which the plan would fail the checks is left out and
 * reported in `cannot`. The result passes `checkPlan` if the given plan did.
 */
export function revisePlan({ plan, feedback, songs: wholeSongs, limits }: RevisionRequest): Revision {
  const songs = chooseParts(wholeSongs);
  const text = feedback.slice(0, MAX_FEEDBACK_LENGTH).replace(/\s+/g, ' ');
  const context: RevisionContext = { songs, limits };
  const revision: Revision = { plan, changes: [], cannot: [] };
  for (const rule of RULES) {
    const match = rule.matches.exec(text);
    if (!match) continue;
    const result = rule.apply(revision.plan, match, context);
    if ('cannot' in result) {
      revision.cannot.push(result.cannot);
      continue;
    }
    const checked = checkPlan(result.plan, songs, limits);
    if (checked.plan) {
      revision.plan = checked.plan;
      revision.changes.push(result.change);
    } else
      revision.cannot.push(`"${match[0].trim()}" would break the mashup: ${checked.faults[0] ?? 'it no longer fits'}`);
  }
  if (revision.changes.length === 0 && revision.cannot.length === 0)
    revision.cannot.push(
      `No change was found in this feedback. Without Claude, the supported wishes are: ${SUPPORTED_WISHES}.`,
    );
  return revision;
}
