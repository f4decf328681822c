/** What became of the wishes of a user: what was understood, what was not, and what the plan does not fulfil. */
import type { Plan, Reading, WishOutcome } from '../../schema.ts';
import { checkPlan } from '../../music/plan/checks.ts';
import { soundOf } from '../../music/plan/sound-of.ts';
import { cleanText } from '../../music/plan/text.ts';
import { wishTextOf } from '../../music/producer/plan-with-wishes.ts';
import { wishHolds } from '../../music/revision/wish-holds.ts';
import { readWishes } from '../../music/wishes/read-wishes.ts';
import { wishesOfRoles } from '../../music/wishes/role-wishes.ts';
import { wishSongs } from '../../music/wishes/wish-songs.ts';
import { describeRefusal } from '../../music/wishes/refuse.ts';
import { describeWish } from '../../music/wishes/wish-texts.ts';
import { TaskError } from '../errors.ts';
import type { PlanBrief, PlanFacts } from '../services/orchestrator.ts';

const MAX_QUOTES = 10;
const MAX_QUOTE_LENGTH = 200;
const MAX_REASON_LENGTH = 300;

const cleaned = (texts: readonly string[], limit: number): string[] =>
  texts
    .map((text) => cleanText(text, limit))
    .filter((text) => text !== '')
    .slice(0, MAX_QUOTES);

/**
 * Reads the text and checks the plan that came back against it: a wish that is understood and not in the plan is listed in
 * `cannot`. A model may understand what the rules do not: then the parts that it reports count.
 * Roles that the user chose for a first plan are checked like wishes in the text.
 * @returns undefined without a text and roles
 * @throws TaskError `wish_not_understood` if nothing in the text was understood: such a plan is not rendered
 */
export function wishOutcome(
  brief: PlanBrief,
  plan: Plan,
  { source, cannot = [], notUnderstood }: Pick<PlanFacts, 'source' | 'cannot' | 'notUnderstood'>,
): WishOutcome | undefined {
  const text = wishTextOf(brief);
  const chosen = brief.previous ? [] : wishesOfRoles(brief.roles);
  if (text.trim() === '' && chosen.length === 0) return undefined;
  const reading = readWishes(text, wishSongs(brief.songs));
  const unread = source === 'claude' ? (notUnderstood ?? []) : reading.not_understood;
  const isNothing = reading.understood.length === 0 && reading.not_understood.length > 0;
  if (isNothing && areQuoted(reading.not_understood, unread)) throw nothingUnderstood(reading);
  const understood = [...chosen, ...reading.understood];
  const unmet = understood.filter((wish) => !wishHolds(wish, plan, brief.previous));
  const contradictory = source === 'claude' ? [] : (reading.contradictory ?? []);
  const reasons = [
    ...contradictory.map((part) => `Not possible: "${part}". These wishes contradict each other.`),
    ...(cannot.length > 0 ? cannot : unmet.map((wish) => `Not in this plan: ${describeWish(wish, brief.songs)}.`)),
  ];
  return {
    understood,
    not_understood: cleaned(
      unread.filter((part) => !contradictory.includes(part)),
      MAX_QUOTE_LENGTH,
    ),
    ...(contradictory.length > 0 ? { contradictory: cleaned(contradictory, MAX_QUOTE_LENGTH) } : {}),
    by_planner:
      source === 'claude' ? cleaned(clausesNotIn(unread, reading.not_understood), MAX_QUOTE_LENGTH) : undefined,
    cannot: cleaned(reasons, MAX_REASON_LENGTH),
    not_done: understood.flatMap((wish, index) => {
      const reason = reasonOf(describeWish(wish, brief.songs), cannot);
      return reason !== undefined || unmet.includes(wish)
        ? [{ index, reason: cleanText(reason ?? '', MAX_REASON_LENGTH) }]
        : [];
    }),
  };
}

/** The reason that a planner by rules gives for a wish: what follows `Not possible: <wish>.` */
function reasonOf(wish: string, cannot: readonly string[]): string | undefined {
  const start = `Not possible: ${wish}.`;
  return cannot
    .find((text) => text.startsWith(start))
    ?.slice(start.length)
    .trim();
}

/** The clauses of parts that are not quoted. */
const clausesNotIn = (quotes: readonly string[], parts: readonly string[]): string[] =>
  parts
    .flatMap((part) => part.split(/\s*(?:[,;.!?\n]|\b(?:and|then|but)\b)\s*/i))
    .filter((clause) => /[\p{L}\p{N}]/u.test(clause) && !areQuoted([clause], quotes));

/** Whether every word of the parts is in one of the quotes. */
function areQuoted(parts: readonly string[], quotes: readonly string[]): boolean {
  const wordsOf = (texts: readonly string[]): string[] =>
    texts
      .join(' ')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  const quoted = new Set(wordsOf(quotes));
  return wordsOf(parts).every((word) => quoted.has(word));
}

function nothingUnderstood({ not_understood, contradictory }: Reading): TaskError {
  const { message, details, hint } = describeRefusal({
    understood: [],
    not_understood: cleaned(not_understood, MAX_QUOTE_LENGTH),
    ...(contradictory && { contradictory: cleaned(contradictory, MAX_QUOTE_LENGTH) }),
  });
  const text = contradictory ? `${message}. ${details}` : details;
  return new TaskError(text, { code: 'wish_not_understood', hint, faultClass: 'permanent' });
}

/**
 * Refuses a plan by rules that sounds like the one that it revises: rendering it would give the same mashup again.
 * A plan of a language model was paid for, and is rendered.
 * @throws TaskError `wish_changes_nothing`, with the reasons that the planner gives
 */
export function refuseUnchanged(
  brief: PlanBrief,
  { plan, source }: Pick<PlanFacts, 'source'> & { plan: Plan },
  outcome: WishOutcome | undefined,
): void {
  const { previous, feedback, songs, limits } = brief;
  if (!previous || !feedback || outcome === undefined || source === 'claude') return;
  const before = checkPlan(previous, songs, limits).plan ?? previous;
  if (![before, previous].some((known) => soundOf(known) === soundOf(plan))) return;
  const isSo = outcome.understood.map((wish) => describeWish(wish, songs)).join('; ');
  const reason = outcome.cannot.join(' ') || (isSo === '' ? '' : `The mashup is like this already: ${isSo}.`);
  throw new TaskError(`Nothing would change. ${reason}`.trim(), {
    code: 'wish_changes_nothing',
    hint: 'Nothing was rendered. Ask for something else.',
    faultClass: 'permanent',
  });
}
