/** Effects: more, less, none. */
import type { WishEffect } from '../../../schema.ts';
import { rule, songId, type ClauseContext, type Rule } from '../rule.ts';
import { readPart } from '../terms.ts';

const WORDS: Record<WishEffect, string> = {
  reverb: 'reverb|reverbs|reverberation|verb',
  echo: 'echo|echoes|echos|delay|delays|echoing',
  filter: 'filter|filters|filtering|filter sweep|filter sweeps|low pass|high pass|low pass filter|high pass filter',
  sidechain: 'sidechain|side chain|sidechaining|side chaining|sidechain compression|pumping|ducking|pump',
  riser: 'riser|risers|uplifter|uplifters|whoosh|whooshes|rising sound|rising sounds|rising noise',
  stutter: 'stutter|stutters|stuttering|glitch|glitches|glitching|glitchy bits|glitchy parts|stuttery bits',
  gate: 'gate|gating|chopping',
  reverse: 'reverse|reversed parts|reversing|backwards parts|backwards bits|reverse effect',
  width: 'stereo width|width|stereo spread|stereo',
};
const NAME = `(?:${Object.values(WORDS).join('|')})(?: effect| effects| sound| sounds| stuff)?`;
const ALL = '(?:effects|fx|effect|sound effects|audio effects|special effects|processing)';
/** What sounds so has too much of an effect, or more of it. */
const LIKE_EFFECT = {
  echo: '(?:echoey|echoy|echo y|echoing)',
  reverb: '(?:reverby|reverb y|washy|washed out|roomy|wet)',
} as const;
/** Names of effects, as a pattern. */
export const EFFECT_NAMES = `(?:${NAME}(?: (?:and|or) ${NAME}){0,4}|${ALL})`;
/** A name, or all effects. */
const NAMES = `(?<name>${EFFECT_NAMES})`;
const ON = '(?: (?:on|to|for|from|in|onto|over) {part})?';
const OF = '(?:of )?';

function readEffects(list: string): (WishEffect | undefined)[] {
  return list.split(/ (?:and|or) /).map((word) => {
    const bare = word.replace(/ (?:effects?|sounds?|stuff)$/, '');
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
  // Praise asks for nothing.
  rule(
    [
      `${NAMES}${ON} (?:is|are|sounds?|feels?) (?:fine|good|great|nice|perfect|ok|okay|cool|lovely|awesome)`,
      `(?:i )?(?:like|love) ${NAMES}${ON}`,
    ],
    () => [],
  ),
  effectRule(
    'off',
    `(?:no|without|remove|remove all|take out|take off|cut|cut out|lose|kill|get rid of|ditch|leave out|skip|turn off|switch off|disable|drop|no more|stop|do without|do not want|want no|zero|delete|mute|scrap|bin|strip|strip out|take away|get rid|no need for|not any) (?:all )?${OF}${NAMES}${ON}(?: at all| completely)?`,
    `(?:no|without|remove|turn off|get rid of|take out|take off|lose|cut) (?:all )?{part} ${NAMES}`,
    `{part} (?:{modal} have )?(?:without|no|with no) ${NAMES}`,
    `(?:all )?${NAMES} (?:{mod} )?(?:removed|gone|out|disabled|turned off)`,
    `${NAMES} (?:is|are) not (?:needed|necessary|wanted)`,
    `(?:take|strip|cut|pull) (?:all )?${NAMES} (?:out|away|off)(?: (?:of )?{part})?`,
    `(?:turn|switch) ${NAMES} off`,
    `${NAMES} off`,
  ),
  effectRule(
    'less',
    `(?:with |use |need |want )?(?:less|fewer|weaker|lighter|{lower}|not so much|not so many|not as much|not as many) ${OF}${NAMES}${ON}`,
    `(?:less|not so much|reduce) {part} ${NAMES}`,
    `(?:{lower}|turn|bring|tone|dial) ${NAMES} (?:down|back)${ON}`,
    `(?:there is |is |there are |are |has )?(?:too much|too many) ${NAMES}${ON}`,
    `${NAMES}${ON} (?:{be} )?too (?:strong|loud|much|heavy|intense|noticeable|obvious|long)`,
    `{part} (?:has|have) (?:too much|too many) ${NAMES}`,
    `${NAMES}${ON} (?:{mod} )?(?:less|down|softer|weaker|quieter|lighter|more subtle|subtler|reduced|turned down)`,
  ),
  effectRule(
    'more',
    `(?:with |use |need |want |add |give |put ){0,3}(?:more|stronger|extra|heavier|bigger|{raise}|turn on|switch on) ${OF}${NAMES}${ON}`,
    `(?:add|add in|put|put in|use|apply|with|give|have|of|some|throw in|throw|stick|stick in|slap|chuck|chuck in|include|insert|want|need) (?:of |some )?${NAMES}${ON}`,
    `{part} (?:{modal} have |needs? |wants? |could use |could do with |with )(?:more |some )?${OF}${NAMES}`,
    // Risers are before drops anyway.
    `(?:add |add in |with |use |put |have |want |more )?(?<name>${WORDS.riser}) (?:before|into|up to|towards|for|to) (?:each |every )?drops?`,
    `(?:drown|drench|soak|cover|bathe) {part} (?:in|with) ${NAMES}`,
    `(?:give|put) {part} (?:more )?${OF}${NAMES}`,
    `(?:there is |is )?(?:not enough|too little|too few) ${NAMES}${ON}`,
    `(?:put |throw |add |have )?${NAMES} on(?: {part})?`,
    `${NAMES}${ON} (?:{mod} )?(?:more|up|stronger|louder|heavier|bigger|more noticeable)`,
  ),
  rule(['(?:sound |feel |be |get )?wider(?: stereo| sound| image| mix)?'], () => [
    { kind: 'effect', change: 'more', effect: 'width' },
  ]),
  ...(['echo', 'reverb'] as const).map((effect) =>
    rule(
      [
        `(?:{part} )?(?:{be} )?(?:too|so) ${LIKE_EFFECT[effect]}`,
        `(?:{part} )?(?:{mod} )?(?:less|not so|not as) ${LIKE_EFFECT[effect]}`,
      ],
      ({ part = '' }, context) =>
        targets(part, context).map((on) => ({ kind: 'effect', change: 'less', effect, ...on })),
    ),
  ),
  rule(
    [
      '(?:completely |totally |all |fully )?dry(?: {part})?',
      '{part} (?:{mod} )?(?:completely |totally |all |fully )?dry',
    ],
    ({ part = '' }, context) => targets(part, context).map((on) => ({ kind: 'effect', change: 'off', ...on })),
  ),
];
