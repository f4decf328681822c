/** More and less of stems and songs, and stems that are left out. */
import type { Stem, Wish } from '../../../schema.ts';
import { fixed, rule, songId, valueOf, type ClauseContext, type Rule } from '../rule.ts';
import { readPart } from '../terms.ts';

const MORE = '(?:more|louder|stronger|bigger|heavier|fatter|extra|more prominent|more present|more audible)';
const LESS = '(?:less|fewer|quieter|softer|weaker|not so much|not so many|not as much|less loud|less prominent)';
const UP =
  '(?:louder|up|stronger|bigger|heavier|more prominent|more present|more audible|more|higher|forward|in front|to front|raised|boosted|turned up)';
const DOWN =
  '(?:quieter|softer|down|lower|weaker|less prominent|less loud|less|back|in background|to background|reduced|turned down|less present)';
const TURN = '(?:turn|bring|push|crank|pull|move|get|make|put|mix|dial|pump|take|keep|set)';
const TOO_LOUD = '(?:loud|strong|prominent|heavy|high|dominant|overpowering|much|big|present|in your face)';
/** What sounds like this is too loud. `The drums should be overpowering` asks for the opposite, so these need a verb in the present. */
const IS_TOO_LOUD = '(?:is|are|was|were|sounds|sound|feels|feel) (?:overpowering|overwhelming|overbearing|deafening)';
const TOO_SOFT = '(?:quiet|soft|low|weak|faint|thin|silent|little|small|hidden|buried)';
const HEAR =
  '(?:(?:i )?(?:can not|cannot|cant|can barely|can hardly|could not|couldnt|barely|hardly) hear|(?:i )?(?:can not|cannot|cant) really hear)';
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
  rule(patterns, ({ part = '', db = '' }, context) => levelWishes(change, part, db, context));

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
    `(?:with |need |needs |want |hear |add |add in |give |use |put in |get |have ){0,3}${MORE} (?:of )?{part}${BY}`,
    `(?:add|add in|bring in more) (?<part>drums|percussion|beat|beats|vocals|voices|bass|melody|chords)`,
    `{db} (?:more|louder) {part}`,
    `{part} {db} (?:more|louder|up|higher)`,
    `(?:${TURN} )?{volume}{part} (?:{mod} )?(?:turned |brought |pushed |mixed )?${UP}${BY}`,
    `(?:turn up|bring up|push up|crank up|boost|raise|increase|lift|amplify|bring out|pump up|strengthen|emphasize|emphasise|more) {volume}{part}${BY}`,
    `{part} (?:{be} )?(?:too|so|not loud enough|not strong enough) ?${TOO_SOFT}`,
    `{part} (?:{be} )?not (?:loud|strong|prominent|audible|present) enough`,
    `{part} (?:(?:{modal} )?(?:come|stand) (?:up|out|through)(?: more)?|get lost|gets lost|getting lost|is missing|are missing)`,
    `(?:is |are |there is |there are |has |i hear )?(?:not enough|too little|too few) {part}`,
    `${HEAR} {part}`,
    `want to hear {part} (?:more|better|louder)`,
    `hear {part} (?:more|better|louder)`,
  ),
  levelRule(
    'less',
    `(?:with |need |needs |want |hear |give |use |have ){0,3}${LESS} (?:of )?{part}${BY}`,
    `{db} (?:less|quieter|softer) {part}`,
    `{part} {db} (?:less|quieter|softer|down|lower)`,
    `(?:${TURN} )?{volume}{part} (?:{mod} )?(?:turned |brought |pushed |mixed )?${DOWN}${BY}`,
    `(?:turn down|bring down|reduce|lower|decrease|soften|tone down|pull down|pull back|dial down|dial back|hold back) {volume}{part}${BY}`,
    `{part} (?:{be} )?too ${TOO_LOUD}`,
    `{part} ${IS_TOO_LOUD}(?: everything| everything else| rest)?`,
    `(?:is |are |there is |there are |has )?(?:too much|too many) {part}`,
    `{part} (?:is |are )?(?:drown|drowns|drowning|cover|covers|covering|overpower|overpowers|overpowering) (?:out )?(?:everything|everything else|rest)`,
  ),
  withoutRule(
    '(?:no|without|remove|take out|cut out|cut|lose|mute|kill|get rid of|ditch|leave out|skip|delete|omit|strip out|turn off|silence|no more|do without|want no|not any|(?:i |we )?do not (?:want|need)(?: to hear)?) {part}(?: at all| completely| entirely)?',
    '(?:take|leave|cut|strip|leave|mix) {part} (?:out|away|off)(?: completely| entirely)?',
    '{part} (?:{mod} )?(?:removed|out|gone|off|muted|left out)',
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
    '(?:as |do |have |want )?karaoke(?: version| mix)',
  ),
  rule(
    ['(?:as |do |have |want ){0,3}(?:an )?(?:acapella|a cappella|a capella|vocals only|only vocals) (?:version|mix)'],
    () => (['drums', 'bass', 'other'] as const).map((stem) => ({ kind: 'without', stem })),
  ),
];
