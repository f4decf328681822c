/** Effects: more, less, none. */
import type { WishEffect } from '../../../schema.ts';
import { rule, songId, type ClauseContext, type Rule } from '../rule.ts';
import { readPart } from '../terms.ts';

const WORDS: Record<WishEffect, string> = {
  reverb: 'reverb|reverbs|reverberation',
  echo: 'echo|echoes|echos|delay|delays',
  filter: 'filter|filters|filtering|filter sweep|filter sweeps',
  sidechain: 'sidechain|side chain|sidechaining|pumping|ducking|pumping effect',
  riser: 'riser|risers|uplifter|uplifters',
  stutter: 'stutter|stutters|stuttering|glitch|glitches|glitching',
  gate: 'gate|gating|chopping',
  reverse: 'reverse|reversed parts|reversing|backwards parts|backwards bits|reverse effect',
  width: 'stereo width|width|stereo spread',
};
const NAME = `(?:${Object.values(WORDS).join('|')})(?: effect| effects)?`;
const ALL = '(?:effects|fx|effect|sound effects|audio effects)';
/** A name, or all effects. */
const NAMES = `(?<name>${NAME}(?: (?:and|or) ${NAME}){0,4}|${ALL})`;
const ON = '(?: (?:on|to|for|from|in) {part})?';
const OF = '(?:of )?';

function readEffects(list: string): (WishEffect | undefined)[] {
  return list.split(/ (?:and|or) /).map((word) => {
    const bare = word.replace(/ effects?$/, '');
    return (Object.keys(WORDS) as WishEffect[]).find((effect) =>
      WORDS[effect].split('|').some((each) => each === word || each === bare),
    );
  });
}

const effectRule = (change: 'more' | 'less' | 'off', ...patterns: string[]): Rule =>
  rule(patterns, ({ name = '', part = '' }, context) => {
    const effects = readEffects(name);
    return effects.flatMap((effect) =>
      targets(part, context).map((on) => ({ kind: 'effect', change, ...(effect ? { effect } : {}), ...on })),
    );
  });

/** The stems or the song that the effect is on; one empty target for everything. */
function targets(part: string, context: ClauseContext) {
  if (part === '') return [{}];
  const { song, stems } = readPart(part);
  const on = song === undefined ? {} : { song_id: songId(context, song) };
  return stems ? stems.map((stem) => ({ stem, ...on })) : [on];
}

/** In order: the first rule that matches is used. */
export const EFFECT_RULES: readonly Rule[] = [
  effectRule(
    'off',
    `(?:no|without|remove|remove all|take out|take off|cut|cut out|lose|kill|get rid of|ditch|leave out|skip|turn off|switch off|disable|drop|no more|stop|do without|do not want|want no|zero|all|delete|mute) (?:all )?${OF}${NAMES}${ON}(?: at all| completely)?`,
    `(?:no|without|remove|turn off|get rid of) {part} ${NAMES}`,
    `(?:turn|switch|take) ${NAMES} off`,
    `${NAMES} off`,
  ),
  effectRule(
    'less',
    `(?:with |use |need |want )?(?:less|fewer|reduce|turn down|lower|decrease|tone down|not so much|not so many) ${OF}${NAMES}${ON}`,
    `(?:there is |is |there are |are |has )?(?:too much|too many) ${NAMES}${ON}`,
    `${NAMES}${ON} (?:{be} )?too (?:strong|loud|much|heavy)`,
    `${NAMES}${ON} (?:{mod} )?(?:less|down|softer|weaker)`,
  ),
  effectRule(
    'more',
    `(?:with |use |need |want |add |give |put ){0,3}(?:more|stronger|extra|increase|turn up|boost|turn on|switch on) ${OF}${NAMES}${ON}`,
    `(?:add|add in|put|put in|use|apply|with|give|have|of|throw in|include|want|need) (?:of )?${NAMES}${ON}`,
    `(?:give|put) {part} (?:more )?${OF}${NAMES}`,
    `(?:there is |is )?(?:not enough|too little|too few) ${NAMES}${ON}`,
    `${NAMES} on(?: {part})?`,
  ),
  rule(['(?:wider|more stereo)(?: stereo| sound| image)?', '(?:sound |feel )wider'], () => [
    { kind: 'effect', change: 'more', effect: 'width' },
  ]),
];
