/** Length and tempo in proportion to what they are: `10% faster`, `half as long`, `at 1.5x speed`. */
import type { Wish } from '../../../schema.ts';
import { rule, valueOf, type Rule } from '../rule.ts';

const ABOUT = '(?:(?:about|around|roughly|like|say|another|just) ){0,2}';
const BY = `(?:by )?${ABOUT}{pct}`;
const TEMPO = '(?:tempo|speed|bpm|pace)';
const LENGTH = '(?:length|duration|running time)';
const TAKE = '(?:bring |turn |push |take |get |move |put |set |change |play |run |go |use |want |{raise} |{lower} )?';
const TWICE = '(?:twice|double|two times)';
const HALF = '(?:half|half of)';

/** Returns the wish for a multiple of what is there; null for none and for what is there. */
function multiple(kind: 'length' | 'tempo', times: number): Wish[] | null {
  if (times <= 0 || times === 1) return null;
  const by_percent = Math.round(Math.abs(times - 1) * 1_000) / 10;
  return kind === 'length'
    ? [{ kind, change: times > 1 ? 'longer' : 'shorter', by_percent }]
    : [{ kind, change: times > 1 ? 'faster' : 'slower', by_percent }];
}

const timesRule = (kind: 'length' | 'tempo', times: number, ...patterns: string[]): Rule =>
  rule(patterns, () => multiple(kind, times));
/** `direction` 1: so much more of what is there; -1: so much less. */
const changeRule = (kind: 'length' | 'tempo', direction: 1 | -1, ...patterns: string[]): Rule =>
  rule(patterns, ({ pct = '' }) => multiple(kind, 1 + (direction * valueOf(pct)) / 100));

/** In order: the first rule that matches is used. */
export const PROPORTION_RULES: readonly Rule[] = [
  changeRule(
    'length',
    1,
    `(?:be |get |become |want )?(?:longer|lengthier) ${BY}`,
    `${ABOUT}{pct} (?:longer|lengthier)`,
    `(?:extend|lengthen|stretch|prolong|make longer)(?: ${LENGTH})? ${BY}`,
    `{raise} ${LENGTH} ${BY}`,
  ),
  changeRule(
    'length',
    -1,
    `(?:be |get |become |want )?shorter ${BY}`,
    `${ABOUT}{pct} shorter`,
    `(?:shorten|trim|trim down|cut down)(?: ${LENGTH})? ${BY}`,
    `(?:{lower}|cut) ${LENGTH} ${BY}`,
  ),
  timesRule(
    'length',
    2,
    `(?:be |last |run |get |go on )?(?:for )?${TWICE} (?:as long|${LENGTH}|longer)`,
    `double in ${LENGTH}`,
  ),
  timesRule(
    'length',
    0.5,
    `(?:be |last |run |get |go on )?(?:for )?${HALF} (?:as long|${LENGTH})`,
    '(?:cut|cut down|chop|shorten|trim|trim down) (?:in|to|by|down to) half|half as short|twice as short',
    `(?:halve|half) ${LENGTH}|(?:cut|{lower}) ${LENGTH} (?:in|by|to) half`,
  ),
  rule([`(?:be |last |run |get )?{times} (?:as long|${LENGTH}|longer)`], ({ times = '' }) =>
    multiple('length', valueOf(times)),
  ),
  changeRule(
    'tempo',
    1,
    `(?:go |be |get |play |run |become |want )?(?:faster|quicker|sped up|speeded up)(?: ${TEMPO})? ${BY}`,
    `${ABOUT}{pct} (?:faster|quicker|sped up|(?:more|higher) ${TEMPO})`,
    `(?:speed|speed up|accelerate|quicken|pick up pace|pick up speed)(?: ${TEMPO})?(?: up)? ${BY}`,
    `(?:{raise}|speed up|more|higher) ${TEMPO} ${BY}`,
    `${TAKE}${TEMPO} (?:{mod} )?(?:up|raised|increased|higher|faster|quicker) ${BY}`,
    `${TAKE}${TEMPO} (?:{mod} )?${BY} (?:up|higher|faster|quicker)`,
  ),
  changeRule(
    'tempo',
    -1,
    `(?:go |be |get |play |run |become |want )?(?:slower|slowed down|slowed)(?: ${TEMPO})? ${BY}`,
    `${ABOUT}{pct} (?:slower|slowed down|(?:less|lower) ${TEMPO})`,
    `(?:slow|slow down|decelerate)(?: ${TEMPO})?(?: down)? ${BY}`,
    `(?:{lower}|drop|slow down|less) ${TEMPO} ${BY}`,
    `${TAKE}${TEMPO} (?:{mod} )?(?:down|reduced|lowered|decreased|lower|slower) ${BY}`,
    `${TAKE}${TEMPO} (?:{mod} )?${BY} (?:down|lower|slower)`,
  ),
  timesRule('tempo', 2, `${TAKE}(?:at |to )?${TWICE} (?:as fast|as quick|${TEMPO}|faster)`, `double in ${TEMPO}`),
  timesRule(
    'tempo',
    0.5,
    `${TAKE}(?:at |to )?${HALF} (?:as fast|as quick|${TEMPO})|twice as slow`,
    `halve ${TEMPO}|(?:cut|{lower}) ${TEMPO} (?:in|by|to) half`,
  ),
  rule([`${TAKE}(?:at |to )?{times} (?:${TEMPO}|as fast|faster)`], ({ times = '' }) =>
    multiple('tempo', valueOf(times)),
  ),
  rule(
    [
      `${TAKE}(?:at |to )?${ABOUT}{pct} (?:of )?(?:current |present )?${TEMPO}`,
      `${TAKE}${TEMPO} (?:at |to ){1,2}${ABOUT}{pct}`,
      `(?:speed|slow)(?: up| down)? to ${ABOUT}{pct}`,
    ],
    ({ pct = '' }) => multiple('tempo', valueOf(pct) / 100),
  ),
];
