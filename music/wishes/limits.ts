/** What a clause does to those beside it: it takes them back, limits them, or says why they are asked for. */
import type { Clause } from './clause.ts';

/** What takes back the wish before it: `more drums, I mean less drums`. */
const CORRECTION =
  /^(?:i mean|i meant|or rather|no wait|wait no|scratch that|strike that|forget that|never ?mind|on second thought)(?: |$)/;

/** Whether a clause that is not understood takes back what was before it. */
export const isCorrection = ({ tokens, wishes }: Clause): boolean =>
  wishes === null && CORRECTION.test(tokens.map(({ text }) => text).join(' '));

/** A reason or a purpose: `because I run to it`, `so that we can dance`. */
const REASON =
  /^(?:(?:it's|its|it is|this is) (?:for|meant for) |because|cos|cuz|coz|'cause|so (?:that |i |we |you |it |they |people |everyone |my |our |the ))/;
/** An opinion of the whole, beside a wish. */
const OPINION =
  /^(?:(?:i |im |i'm |it's |its |it is |that's |thats |this is |this one is |sorry )?(?:am )?(?:just |still |really |quite |so )?(?:not (?:really |quite |so |very |that |too )?(?:feeling (?:it|this|this one)|my (?:thing|taste|style)|convinced|happy|sure|into it|there yet|right|it|keen|impressed|what i wanted|what i had in mind)|(?:i )?(?:don't|dont|do not|didn't|didnt) (?:really |quite |much )?(?:like|love) (?:it|this|this one|that|that one)(?: much| very much)?|meh|nah|nope|no|hmm+|almost|nearly|close|almost there|nearly there|(?:everything |all |keep )?(?:the )?same(?: thing| one| idea| as (?:before|now|last time))?)|(?:it's|its|it is|that's|thats|this is) (?:weird|wrong|bad|awful|terrible|strange|meh|odd|off))(?: yet| really| tbh| sorry| at all| but)*$/;
/** A reason that may be more than one: it speaks of the music. */
const OF_MUSIC =
  /\b(?:vocals?|voices?|sing\w*|rap\w*|drums?|beats?|bass\w*|melod\w*|guitars?|pianos?|synths?|chords?|music|intro|outro|start\w*|end\w*|drops?|chorus\w*|verses?|bridge|echo\w*|reverb\w*|effects?|tempo|key|pitch|but|not)\b/;

/** Who signs does it after these. */
const THANKS =
  /^(?:many |kind |best |warm )?(?:thanks|thank you|thx|cheers|regards|best|wishes)(?: (?:a lot|so much|very much|in advance))?$/;
const textBefore = (clause: Clause | undefined): string => clause?.tokens.map(({ text }) => text).join(' ') ?? '';

/** Takes a reason that is no wish itself for one that asks for nothing, if it follows a wish. */
export function withoutReason(clause: Clause, at: number, clauses: readonly Clause[]): Clause {
  if (clause.wishes !== null) return clause;
  const text = clause.tokens.map((token) => token.text).join(' ');
  const isWished = (other: number): boolean => (clauses[other]?.wishes?.length ?? 0) > 0;
  if (OPINION.test(text)) return isWished(at - 1) || isWished(at + 1) ? { ...clause, wishes: [] } : clause;
  if (at === clauses.length - 1 && clause.tokens.length <= 2 && THANKS.test(textBefore(clauses[at - 1])))
    return { ...clause, wishes: [] };
  const isReason = REASON.test(`${text} `) && !OF_MUSIC.test(text) && !/[@#]/.test(text);
  return isReason && isWished(at - 1) ? { ...clause, wishes: [] } : clause;
}

/** Words that limit a wish to a place, a time or a condition. */
export const LIMIT =
  /^(?:only|just|in|at|during|when|whenever|where|until|till|after|before|for|on|except|unless|if|every|around|near|towards|from|between|not|apart|as|like)$/;
const PLACE =
  /^(?:verses?|chorus|choruses|bridge|breaks?|breakdown|middle|hook|refrain|half|section|part|buildup|solo|second|first|third|last)$/;

/**
 * Takes wishes back that a clause beside them limits: `more bass, but only in the second verse` is no wish for more bass
 * everywhere. What begins with a limit limits the rest of the sentence; later it limits what was before it. A correction takes
 * back the wish before it.
 */
export function widen(clauses: readonly Clause[]): Clause[] {
  const result = clauses.map((clause) => ({ ...clause }));
  const unread = (from: number, to: number): void => {
    for (let i = Math.max(0, from); i <= to; i++) {
      const clause = result[i];
      if (clause) clause.wishes = null;
    }
  };
  clauses.forEach((clause, index) => {
    if (clause.wishes !== null) {
      // The clause belongs to the one before without a joiner: `a part with more bass`, and in `between 1:30 and 2:00`.
      const before = result[index - 1];
      const isPart =
        clause.joiner === '' || before?.tokens.some(({ text }) => /^(?:between|either|whether)$/.test(text));
      if (before?.wishes === null && isPart) unread(index, index);
      return;
    }
    const texts = clause.tokens.map((token) => token.text);
    if (isCorrection(clause)) unread(index - 1, index);
    const isLimit = LIMIT.test(texts[0] ?? '');
    if (isLimit && index === 0) unread(0, result.length - 1);
    else if (isLimit || texts.some((text) => PLACE.test(text))) {
      let first = index - 1;
      while (first > 0 && clauses[first]?.joiner === 'and') first--;
      unread(first, index);
    }
  });
  return result;
}
