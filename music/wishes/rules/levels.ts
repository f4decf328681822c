/** More and less of stems and songs, and stems that are left out. */
import type { Stem, Wish } from '../../../schema.ts';
import { fixed, rule, songId, valueOf, type ClauseContext, type Rule } from '../rule.ts';
import { readPart } from '../terms.ts';

const MORE =
  '(?:more|louder|stronger|bigger|heavier|fatter|thicker|fuller|extra|more prominent|more present|more audible|more noticeable|more volume (?:on|for|in|to))';
const LESS =
  '(?:less|fewer|quieter|softer|weaker|lighter|not so much|not so many|not as much|not as many|not so loud|less loud|less heavy|less prominent|less strong|less volume (?:on|for|in|to))';
const UP =
  '(?:louder|up|stronger|bigger|heavier|more prominent|more present|more audible|more noticeable|easier to hear|fatter|fuller|more|(?:more |further |right )?(?:forward|in front|to front|up front|upfront|in foreground|to foreground|at front|to fore)|raised|boosted|turned up|pushed)';
const DOWN =
  '(?:quieter|softer|down|lower|weaker|less prominent|less loud|less heavy|less strong|less|not (?:so|as|that) (?:loud|strong|prominent|heavy|dominant)|less (?:dominant|overpowering|aggressive)|lighter|(?:more |further )?(?:back|in background|to background|into background)|reduced|turned down|less present)';
const TURN =
  '(?:turn|bring|push|crank|pull|move|get|make|put|mix|dial|pump|take|keep|set|bump|knock|whack|nudge|ease|raise|come|go|have)';
const TOO_LOUD =
  '(?:loud|strong|prominent|heavy|dominant|overpowering|much|big|present|in your face|aggressive|harsh|boomy|booming|forward|far forward|far in front|up front)';
/** What sounds like this is too loud. `The drums should be overpowering` asks for the opposite, so these need a verb in the present. */
const IS_TOO_LOUD =
  '(?:is|are|was|were|sounds|sound|feels|feel) (?:overpowering|overwhelming|overbearing|deafening|dominating|drowning)';
const TOO_SOFT =
  '(?:quiet|soft|low|weak|faint|thin|silent|little|small|hidden|buried|far back|far away|distant|inaudible)';
const HEAR =
  '(?:(?:i |you |we )?(?:can not|can barely|can hardly|can only just|could not|could barely|could hardly|barely|hardly|do not|did not) hear|hard to hear|struggle to hear|struggling to hear|trouble hearing)';
/** How well or where something is not heard. */
const UNHEARD =
  '(?: enough| well| much| well enough| properly| clearly| at all| in mix| over (?:rest|everything|everything else|music|{part2}))?';
const LOST =
  '(?:get lost|gets lost|getting lost|is lost|are lost|is missing|are missing|disappears?|is drowned(?: out)?|are drowned(?: out)?|gets? drowned(?: out)?|is buried|are buried|gets? buried|(?:is|are) (?:hard|difficult) to hear|(?:is|are) (?:barely|hardly) audible|(?:is|are) inaudible)(?: (?:in mix|(?:under|in|by|behind|beneath|among|with|because of) {part2}|by everything else|in background))?';
/** A part that covers another one, or everything. */
const COVERS =
  '(?:is |are )?(?:drowns?|drowning|covers?|covering|overpowers?|overpowering|overshadows?|overshadowing|buries|burying|bury|masks?|masking|hides?|hiding|dominates?|dominating|swamps?|swamping|overwhelms?|overwhelming)';
const COMPARED =
  '(?: (?:compared? to|compared? with|in comparison to|against|next to|relative to|for) (?:rest|everything|everything else|others|other parts|mix|other one|other song|{part2}))?';
const BY = '(?: (?:by )?{db})?';

/** A level wish for each stem of the part, or one for a song as a whole. */
function levelWishes(change: 'more' | 'less', part: string, db: string, context: ClauseContext): Wish[] {
  const { song, stems } = readPart(part);
  const on = song === undefined ? {} : { song_id: songId(context, song) };
  const size = db === '' ? context.degree : { by_db: valueOf(db) };
  const each = (stem?: Stem): Wish => ({ kind: 'level', change, ...(stem ? { stem } : {}), ...on, ...size });
  return stems ? stems.map(each) : [each()];
}

const levelRule = (change: 'more' | 'less', ...patterns: string[]): Rule =>
  rule(patterns, ({ part = '', song = '', stems = '', db = '' }, context) =>
    levelWishes(change, part || `${song} ${stems}`, db, context),
  );

/** Stems that do not play. A song as a whole cannot be left out. */
const withoutRule = (...patterns: string[]): Rule =>
  rule(patterns, ({ part = '' }, context) => {
    const { song, stems } = readPart(part);
    const on = song === undefined ? {} : { song_id: songId(context, song) };
    return stems ? stems.map((stem) => ({ kind: 'without', stem, ...on })) : null;
  });

/** In order: the first rule that matches is used. */
export const LEVEL_RULES: readonly Rule[] = [
  // Before the rules of what is too loud: the same words may be praise.
  rule([`(?:i |we )?(?:like|love|enjoy|want|need) (?:it |how )?{part} ${IS_TOO_LOUD}`], () => []),
  levelRule(
    'more',
    `(?:with |need |needs |want |hear |add |add in |give |use |put in |get |have ){0,3}${MORE} (?:of )?{part}${BY}(?: in| in there| into)?`,
    `(?:add|add in|bring in more) (?<part>drums|percussion|beat|beats|vocals|voices|bass|melody|chords)`,
    '{part} boost',
    `(?:${TURN} )?(?:volume|level) (?:of |on ){part} (?:{mod} )?higher${BY}`,
    `{db} (?:more|louder) {part}`,
    `{part} {db} (?:more|louder|up|higher)`,
    `(?:${TURN} )?{volume}{part} (?:{mod} )?(?:turned |brought |pushed |mixed )?${UP}${BY}`,
    `(?:${TURN} )?{volume}{stems} (?:{mod} )?${UP} (?:in|on|of|from) {song}`,
    `(?:{raise}|bring out|bring forward|emphasize|emphasise|accentuate|more) {volume}{part}${BY}`,
    `{part} (?:{be} )?(?:too|so|not loud enough|not strong enough) ?${TOO_SOFT}${COMPARED}`,
    `{part} (?:{be} )?not (?:loud|strong|prominent|audible|present) enough${COMPARED}`,
    `{part} (?:{modal} )?(?:come|stand|cut|pop) (?:up|out|through)(?: more)?`,
    `{part} ${LOST}`,
    `{part} (?:{modal} )(?:have )?more (?:volume|presence|level|weight|body|power)${BY}`,
    `(?:is |are |there is |there are |has |i hear )?(?:not enough|too little|too few) {part}`,
    `${HEAR} {part}${UNHEARD}`,
    `(?:i )?(?:lacks?|am lacking|lacking|am missing|missing|miss|misses|short on|could (?:use|do with)(?: more)?) {part}`,
    `loud {part}`,
    `want to hear {part} (?:more|better|louder)`,
    `want to be able to hear {part}${UNHEARD}`,
    `hear {part} (?:more|better|louder)`,
  ),
  levelRule(
    'less',
    `(?:with |need |needs |want |hear |give |use |have ){0,3}${LESS} (?:of )?{part}${BY}`,
    `(?:quiet|soft) {part}`,
    `{db} (?:less|quieter|softer) {part}`,
    `{part} {db} (?:less|quieter|softer|down|lower)`,
    `(?:${TURN} )?{volume}{part} (?:{mod} )?(?:turned |brought |pushed |mixed )?${DOWN}${BY}`,
    `(?:${TURN} )?{volume}{stems} (?:{mod} )?${DOWN} (?:in|on|of|from) {song}`,
    `{lower} {volume}{part}${BY}`,
    `{part} (?:{be} )?too ${TOO_LOUD}${COMPARED}`,
    `{part} ${IS_TOO_LOUD}(?: everything| everything else| rest)?`,
    `(?:is |are |there is |there are |has )?(?:too much|too many) {part}`,
    `{part} ${COVERS}(?: out)? (?:everything|everything else|rest|rest of song|all else|whole mix|mix|{part2})`,
    `{part} (?:{modal} )?(?:be )?(?:less (?:of )?(?:volume|presence|level|weight))${BY}`,
  ),
  withoutRule(
    '(?:no|without|remove|take out|cut out|cut|lose|mute|kill|get rid of|ditch|leave out|skip|delete|omit|strip out|strip away|turn off|switch off|silence|scrap|bin|chuck|take away|get rid|remove all|no more|do without|no need for|want no|not any|(?:i |we )?do not (?:want|need)(?: to hear)?) (?:of )?{part}(?: at all| completely| entirely| altogether)?',
    '(?:take|leave|cut|strip|mix|turn|switch|pull|throw|chuck) {part} (?:out|away|off)(?: completely| entirely)?',
    '{part} (?:{mod} )?(?:removed|out|gone|off|muted|left out)',
    '{part} (?:is|are) not (?:needed|necessary|wanted)|{part} (?:{modal} )(?:go|be removed|be taken out|disappear)',
    // `Drop the bass` lets the bass come, and `drop the beat` does so too.
    '(?:drop|lose) (?<part>(?:@\\d )?(?:drums|vocals|voice|melody|singing|percussion)(?: (?:of|from) @\\d)?)(?: completely| entirely)?',
  ),
  // Praise asks for nothing.
  rule(
    [
      '(?:i )?(?:like|love) {part}',
      '{part} (?:is|are|sounds|sound) (?:fine|good|great|nice|perfect|ok|okay|cool|lovely)',
    ],
    () => [],
  ),
  fixed(
    { kind: 'without', stem: 'vocals' },
    '(?:as |be |only |do |have |want ){0,3}(?:fully |purely |completely )?(?:instrumental|instrumental only)(?: version| mix| one| track| only| please)?',
    '(?:nobody|no one|noone) (?:should )?(?:sing|sings)',
    'voiceless|vocal free|vocals free',
    '(?:just |only )?(?:instrumental|music|backing track)(?: version)? (?:with no|without|no) (?:singing|vocals|voice|voices|words)|just (?:music|instruments)|only (?:music|instruments)',
    '(?:as |do |have |want )?karaoke(?: version| mix)',
  ),
  rule(
    ['(?:as |do |have |want ){0,3}(?:an )?(?:acapella|a cappella|a capella|vocals only|only vocals) (?:version|mix)'],
    () => (['drums', 'bass', 'other'] as const).map((stem) => ({ kind: 'without', stem })),
  ),
];
