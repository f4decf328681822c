/** How the mashup starts and ends. */
import type { Wish } from '../../../schema.ts';
import { rule, songId, type ClauseContext, type Rule } from '../rule.ts';
import { readPart } from '../terms.ts';

type Edge = 'start' | 'end';
type How = 'with' | 'only' | 'without';

const VERBS: Record<Edge, string> = {
  start:
    '(?:start|starts|starting|begin|begins|beginning|open|opens|opening|start off|starts off|starting off|start out|starts out|kick off|kicks off|kick things off|lead in|come in|comes in|start up)',
  end: '(?:end|ends|ending|finish|finishes|finishing|close|closes|closing|end up|finish off|finish up|conclude|go out|goes out|close out|wrap up|round off)',
};
const NOUNS: Record<Edge, string> = {
  start:
    '(?:start|beginning|intro|opening|introduction|very start|very beginning|lead in|first (?:few )?(?:seconds|bars))',
  end: '(?:end|ending|outro|finish|close|finale|very end|conclusion|last bit|end bit|(?:last|final) (?:few )?(?:seconds|bars))',
};
/** Words for the start and the end, as a pattern. */
export const EDGE_NOUNS = `(?:${NOUNS.start}|${NOUNS.end})`;
const QUIET =
  '(?:(?:nice and |all |pretty |very |super |so )?(?:quiet|quietly|quieter|soft|softly|softer|gentle|gently|gentler|calm|calmly|calmer|low key|subtle|subtly|mellow|peaceful|peacefully|chill|chilled|relaxed|tender|delicate|delicately|low volume|silent|silently|easy)(?: and (?:quiet|soft|gentle|calm|mellow|easy))?)';
const LOUD =
  '(?:(?:nice and |all |really |super |so )?(?:loud|loudly|louder|big|bigger|strong|strongly|stronger|huge|powerful|powerfully|energetic|energetically|massive|epic|explosive|intense|full on|full blast|full force|full power|full energy|full volume|high energy|loud and proud)(?: and (?:loud|proud|big|strong|powerful))?)';
const BE =
  '(?:(?:should|must|has to|needs to|could|can|to|will|would) )?(?:be|is|are|have|has|sound|sounds|feel|get|become|go|consist of|consists of|feature|features)';
/** What says how an edge shall be. `The end is quiet` tells how it is. */
const SHALL_BE =
  '(?:(?:(?:should|must|has to|needs to|could|can|to|will|would) )(?:be|sound|feel|get|become|go)|be|get|become|go)';
const ONLY_BEFORE = '(?:with |on |off with |off on |from |to )?(?:only |just |nothing but |simply )?';
const ONLY = /\b(only|just|alone|solo|by itself|by themselves|on own|nothing but|nothing else)\b/;

/** Each stem that the part names is one wish; a song without stems is one. */
function partWishes(edge: Edge, how: How, text: string, context: ClauseContext): Wish[] {
  const { song, stems } = readPart(text);
  const named = song === undefined ? {} : { song_id: songId(context, song) };
  if (!stems) return [{ kind: 'edge_part', edge, how, ...named }];
  // Several stems with nothing else cannot be said by wishes of one stem each.
  return stems.map((stem) => ({ kind: 'edge_part', edge, how, stem, ...named }));
}

/** Builds what plays at an edge. `solo` has the words that say that nothing else plays. */
const partRule = (edge: Edge, ...patterns: string[]): Rule =>
  rule(patterns, ({ part = '', solo = '', lone = '' }, context) => {
    const how: How = part === 'acapella' || ONLY.test(`${solo} ${lone}`) ? 'only' : 'with';
    const wishes = partWishes(edge, how, part, context);
    return how === 'only' && wishes.length > 1 ? null : wishes;
  });

const withoutRule = (edge: Edge, ...patterns: string[]): Rule =>
  rule(patterns, ({ stems = '' }, context) => partWishes(edge, 'without', stems, context));

const soundRule = (edge: Edge, sound: 'quiet' | 'loud' | 'fade', ...patterns: string[]): Rule =>
  rule(patterns, () => [{ kind: 'edge', edge, sound }]);

/** How it comes in from nothing, or goes out to nothing. */
function fadeRule(edge: Edge): Rule {
  const [verb, noun] = [VERBS[edge], NOUNS[edge]];
  const fade =
    edge === 'start'
      ? '(?:fade in|fadein|fades in|fading in|faded in)'
      : '(?:fade out|fadeout|fades out|fading out|faded out|fade away|fades away|fade down|fade off|die away|dies away|die out|dies out|trail off|trails off|taper off|tapers off)';
  return soundRule(
    edge,
    'fade',
    `(?:do |add |with |slow |slowly |gently |long |gradual |gradually |smooth |smoothly |nice |use |put |want ){0,3}${fade}(?: slowly| gently| gradually| smoothly| nicely| properly)?(?: (?:at|in|for|to|from|towards) ${noun}| ${edge === 'start' ? 'from' : 'to'} (?:nothing|silence))?`,
    `(?:let |make |have |get )?${noun} (?:{modal} )?(?:slowly |gently |gradually |be |is |with |have )?(?:${fade}|fade|fades)(?: slowly| gently| gradually)?`,
    `(?:faded|fading|fade) ${noun}`,
    `${verb} (?:with |by |on |in )?(?:slow |slowly |long |gentle |gently |smooth |gradual )?${fade}`,
    `${verb} (?:with|in|on) (?:slow |slowly |long |gentle |gently |smooth |gradual )?fade`,
    `(?:slow |slowly |gentle |gradual |gradually )?(?:fade|fades) (?:${noun}|(?:at|in|on|towards) ${noun})`,
    `(?:add |with |put |do |have |use |want )?(?:slow |long |gentle |gradual |short )?fade (?:at|in|on|to|for|towards) ${noun}`,
    `fade ${edge === 'start' ? 'from' : 'to'} silence`,
  );
}

/** The rules of one edge of the mashup. */
function edgeRules(edge: Edge): Rule[] {
  const [verb, noun] = [VERBS[edge], NOUNS[edge]];
  const sounds: [sound: 'quiet' | 'loud', words: string, opposite: string][] = [
    ['quiet', QUIET, LOUD],
    ['loud', LOUD, QUIET],
  ];
  return [
    ...sounds.map(([sound, words, opposite]) =>
      soundRule(
        edge,
        sound,
        `${verb} (?:on |with |in )?(?:more )?${words}(?: note| sound| way)?`,
        `(?:have |want |with |more )?${words} ${noun}`,
        `${noun} (?:${SHALL_BE} )?(?:more )?${words}`,
        `(?:go |get |be |sound |play )?${words} (?:at|in|for|towards|on) ${noun}`,
        `${noun} (?:is|are|was|sounds|feels) too ${opposite}`,
      ),
    ),
    fadeRule(edge),
    rule([`(?:have |want |with |make )?instrumental ${noun}`, `${noun} (?:${BE} )?instrumental`], () => [
      { kind: 'edge_part', edge, how: 'without', stem: 'vocals' },
    ]),
    withoutRule(
      edge,
      `${verb} without {stems}`,
      `${verb} with no {stems}`,
      `(?:do not|not|never|should not|should never) ${verb} (?:with|on) {stems}`,
      `(?:have |want |with )?(?:no|without|remove|take out|take away|cut|cut out|drop|leave out|skip|mute|lose|not any|get rid of|do not want|do not have|do not use) {stems} (?:at|in|from|for|during|on) ${noun}`,
      `${noun} (?:{modal} )?(?:not have|does not have|does not need) {stems}`,
      `(?:at|in|for) ${noun} (?:no|without|with no) {stems}`,
      `${noun} (?:${BE} )?(?:without|no|with no) {stems}`,
    ),
    partRule(
      edge,
      `${verb} (?<solo>${ONLY_BEFORE}){part}(?<lone> {only}| first)?`,
      `(?:have |use |put |want |hear |add |play |with |let )?(?<solo>only |just )?{part}(?<lone> {only})? (?:play |sing |be )?(?:at|in|for|on|from) ${noun}`,
      `${noun} (?:${BE} )?(?<solo>${ONLY_BEFORE}){part}(?<lone> {only})?`,
      `${noun} (?:{modal} )?(?<solo>just |only )(?:be |have |is |has ){part}`,
      `(?:have |want |with )?(?<part>(?:@\\d )?(?:drum|drums|beat|bass|vocal|vocals|voice|melody|piano|guitar|synth)) ${noun}`,
      `(?:have |want |with )?(?<part>acapella) ${noun}`,
      `(?:at|for|in) ${noun} (?<solo>only |just ){part}`,
      `(?<solo>only |just )?{part}(?<lone> {only})? (?:to|should) ${edge === 'start' ? '(?:start|begin|open)' : '(?:end|finish|close)'}(?: with)?`,
      ...(edge === 'start'
        ? [`{part}(?<lone> {only})? (?:should )?(?:come|comes|come in|comes in|go|goes|be|start|starts) first`]
        : []),
    ),
  ];
}

const WILD = '(?:mental|wild|crazy|nuts|all out|off|mad|bananas|ballistic|hard|full on)';
const ABRUPT = '(?:abrupt|abruptly|sudden|suddenly|out of nowhere)';
const IDIOM_RULES: readonly Rule[] = [
  soundRule(
    'start',
    'quiet',
    'ease (?:in|into|us in|me in|people in)(?: gently| slowly| softly)?',
    '(?:slow|gradual|gentle) (?:build|buildup|build up)(?: (?:at|in|to) start| intro)?',
    '(?:build|builds|build up|builds up) (?:slowly|gradually|gently)(?: (?:at|from|in) start)?',
  ),
  soundRule('start', 'loud', `${VERBS.start} (?:with bang|right in|straight in|with everything)`),
  soundRule(
    'start',
    'fade',
    `(?:starts|begins|comes in|${NOUNS.start} (?:is|feels|sounds|comes)) (?:too |so |very )?${ABRUPT}`,
    `(?:not )?${VERBS.start} (?:too|so) ${ABRUPT}`,
  ),
  soundRule(
    'end',
    'loud',
    `${VERBS.end} (?:with|on|in) (?:bang|high|high note|climax|big climax|bombastic way|explosion|fireworks)`,
    `(?:go|goes|get|gets|be) ${WILD} (?:at|in|for|towards) ${NOUNS.end}`,
    `(?:build|builds|build up|builds up|rise|rises) to (?:${LOUD} )?(?:${NOUNS.end}|climax|crescendo)`,
    `(?:climax|crescendo) (?:at|in|towards) ${NOUNS.end}`,
  ),
  soundRule(
    'end',
    'quiet',
    `(?:calm|die|wind|quiet|quieten|simmer|settle|tone|bring|come) down (?:at|in|for|towards) ${NOUNS.end}`,
    `(?:gentle|soft|slow) landing`,
  ),
  soundRule(
    'end',
    'fade',
    '(?:let |make )?fade(?: instead| nicely| slowly| gently)?',
    `(?:ends|finishes|goes out) (?:too |so |very |just )?${ABRUPT}`,
    `(?:not )?${VERBS.end} (?:too|so) ${ABRUPT}`,
    `${NOUNS.end} (?:is|feels|sounds|comes) (?:too |so |very )?${ABRUPT}`,
    '(?:just )?(?:stops|cuts off|cuts out|cut off) (?:too |so |very |just )?(?:abruptly|suddenly|abrupt|sudden|at end)',
    'not (?:just )?(?:stop|cut off|end) (?:so |too )?(?:abruptly|suddenly)',
  ),
];

const COME_IN = '(?:come|comes|coming|start|starts|join|joins|kick|kicks|enter|enters)(?: in)?';
/** What comes in later does not play at the start. */
const LATER_RULES: readonly Rule[] = [
  withoutRule(
    'start',
    `{stems} (?:{modal} )?(?:only )?${COME_IN} (?:only )?(?:later|after intro|after while|little later|bit later)(?: on)?`,
    `(?:bring in|bring|add|let|introduce|have|start) {stems} (?:come in |in )?(?:only )?later(?: on)?`,
    `(?:hold|keep) {stems} back (?:at|until after) (?:start|intro)|(?:leave|keep) {stems} out of (?:start|intro|beginning)`,
    `wait with {stems}(?: until later)?`,
  ),
];

/** In order: the first rule that matches is used. */
export const EDGE_RULES: readonly Rule[] = [...edgeRules('start'), ...edgeRules('end'), ...IDIOM_RULES, ...LATER_RULES];
