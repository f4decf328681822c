/** How the mashup starts and ends. */
import type { Wish } from '../../../schema.ts';
import { rule, songId, type ClauseContext, type Rule } from '../rule.ts';
import { readPart } from '../terms.ts';

type Edge = 'start' | 'end';
type How = 'with' | 'only' | 'without';

const VERBS: Record<Edge, string> = {
  start:
    '(?:start|starts|starting|begin|begins|beginning|open|opens|opening|start off|starts off|starting off|kick off|kicks off)',
  end: '(?:end|ends|ending|finish|finishes|finishing|close|closes|closing|end up|finish off|conclude)',
};
const NOUNS: Record<Edge, string> = {
  start: '(?:start|beginning|intro|opening|introduction|very start|very beginning)',
  end: '(?:end|ending|outro|finish|close|finale|very end)',
};
const QUIET =
  '(?:quiet|quietly|quieter|soft|softly|softer|gentle|gently|gentler|calm|calmly|calmer|low key|subtle|subtly|mellow)';
const LOUD =
  '(?:loud|loudly|louder|big|bigger|strong|strongly|stronger|huge|powerful|powerfully|energetic|massive|epic)';
const BE =
  '(?:(?:should|must|has to|needs to|could|can|to|will|would) )?(?:be|is|have|has|sound|sounds|consist of|consists of|feature|features)';
const ONLY_BEFORE = '(?:with |on |off with |from )?(?:only |just |nothing but )?';
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

/** The rules of one edge of the mashup. */
function edgeRules(edge: Edge): Rule[] {
  const [verb, noun] = [VERBS[edge], NOUNS[edge]];
  const fade = edge === 'start' ? '(?:fade in|fadein|fades in|fading in)' : '(?:fade out|fadeout|fades out|fading out)';
  const sounds: [sound: 'quiet' | 'loud', words: string][] = [
    ['quiet', QUIET],
    ['loud', LOUD],
  ];
  return [
    ...sounds.map(([sound, words]) =>
      soundRule(
        edge,
        sound,
        `${verb} (?:on |with |in )?(?:more )?${words}(?: note| sound| way)?`,
        `(?:have |want |with |more )?${words} ${noun}`,
        `${noun} (?:${BE} )?(?:more )?${words}`,
        `${words} (?:at|in|for) ${noun}`,
      ),
    ),
    soundRule(
      edge,
      'fade',
      `(?:do |add |with |slow |slowly |gently |long ){0,3}${fade}(?: slowly| gently| gradually)?(?: (?:at|in|for|to) ${noun})?`,
      `${verb} (?:with |by |on )?(?:slow |long |gentle )?${fade}`,
      `(?:fade|fades) (?:${noun}|at ${noun})`,
      `fade ${edge === 'start' ? 'from' : 'to'} silence`,
    ),
    withoutRule(
      edge,
      `${verb} without {stems}`,
      `${verb} with no {stems}`,
      `(?:no|without|remove|take out|drop|leave out) {stems} (?:at|in|from|for|during) ${noun}`,
      `${noun} (?:${BE} )?(?:without|no|with no) {stems}`,
    ),
    partRule(
      edge,
      `${verb} (?<solo>${ONLY_BEFORE}){part}(?<lone> {only}| first)?`,
      `(?:have |use |put |want |add |play )?(?<solo>only |just )?{part}(?<lone> {only})? (?:at|in|for|on) ${noun}`,
      `${noun} (?:${BE} )?(?<solo>${ONLY_BEFORE}){part}(?<lone> {only})?`,
      `(?:have |want |with )?(?<part>(?:@\\d )?(?:drum|drums|beat|bass|vocal|vocals|voice|melody|piano|guitar)) ${noun}`,
      `(?:have |want |with )?(?<part>acapella) ${noun}`,
      `(?:at|for|in) ${noun} (?<solo>only |just ){part}`,
      `(?<solo>only |just )?{part}(?<lone> {only})? (?:to|should) ${edge === 'start' ? '(?:start|begin|open)' : '(?:end|finish|close)'}(?: with)?`,
      ...(edge === 'start' ? [`{part}(?<lone> {only})? (?:should )?(?:come|comes|go|goes) first`] : []),
    ),
  ];
}

/** In order: the first rule that matches is used. */
export const EDGE_RULES: readonly Rule[] = [
  ...edgeRules('start'),
  ...edgeRules('end'),
  soundRule(
    'end',
    'loud',
    `${VERBS.end} (?:with|on) (?:bang|high|high note)`,
    '(?:go|goes) out (?:with|on) (?:bang|high|high note)',
  ),
  soundRule('start', 'loud', `${VERBS.start} with bang`),
];
