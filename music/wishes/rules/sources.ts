/** Who sings and who plays, and the exchange of the songs. */
import type { Stem, Wish } from '../../../schema.ts';
import { rule, songId, fixed, type ClauseContext, type Rule } from '../rule.ts';
import { readPart, readStems, type Part } from '../terms.ts';

const BACKING: readonly Stem[] = ['drums', 'bass', 'other'];
const SING =
  '(?:sing|sings|singing|rap|raps|rapping|do singing|does singing|do vocals|does vocals|do rapping|does rapping|be heard singing|be singing|be singer|be vocalist|be one singing|be one who sings|be lead|be lead singer|take lead|take vocals|take over vocals|is singer|is vocalist|is one who sings|is singing)';
const SINGER = '(?:singer|vocalist|rapper|guy|man|boy|girl|woman|lady|one)';
const PLAY =
  '(?:play|plays|playing|do|does|provide|provides|give|gives|handle|handles|supply|supplies|bring|brings|make|makes|take|takes|be|is|deliver|delivers|take care of|takes care of|have|has|get|gets)';
const OVER = '(?:over|on top of|over top of|above|onto|on|to|against)';
const UNDER = '(?:under|underneath|beneath|below|behind)';
const PUT =
  '(?:(?:put|place|lay|layer|overlay|have|use|take|with|mix|combine|play|hear|sing|drop|stick|throw|slap|chuck|let|pop) )?';

/** Named once more, after `replace the vocals of`. */
const ANY_STEMS = '(?:vocals|voice|singing|drums|beat|bass|bassline|melody|guitar|piano|synths|music|instrumental)';

const from = (context: ClauseContext, song: number, stems: readonly Stem[]): Wish[] =>
  stems.map((stem) => ({ kind: 'source', stem, song_id: songId(context, song) }));

/** The source of a part that names both a song and stems. */
function sourceOf(context: ClauseContext, { song, stems }: Part): Wish[] | null {
  return song === undefined || stems === undefined ? null : from(context, song, stems);
}

/** One song over another: the upper sings unless stems are named, the lower plays the rest. */
function oneOverOther(context: ClauseContext, upper: Part, lower: Part): Wish[] | null {
  if (upper.song === undefined || lower.song === undefined || upper.song === lower.song) return null;
  const above = upper.stems ?? (['vocals'] as const);
  const below = lower.stems ?? BACKING;
  const isSilent = upper.stems === undefined && context.songs[upper.song]?.has_vocals === false;
  if (isSilent || !above.includes('vocals') || below.some((stem) => above.includes(stem))) return null;
  return [...from(context, upper.song, above), ...from(context, lower.song, below)];
}

/** In order: the first rule that matches is used. */
export const SOURCE_RULES: readonly Rule[] = [
  rule(
    [
      `(?:only |let |have |just )?{song} (?:{modal} )?(?:only )?${SING}(?: only| alone| part| parts| lead)?`,
      `(?:be )?sung(?: only)? by {song}`,
      `(?:hear |only hear |just hear |only |just )?{song} (?:singing|rapping)`,
      `{song} (?:{modal} be |be )?(?:on top|over top|up top)|(?:put |have )?{song} (?:on top|over top|up top)`,
      `{song} (?:as|for|on|is|to be) (?:lead|main voice|main singer|one singing|lead singer|singer|vocalist|lead vocalist|singing|vox|mic|microphone)`,
    ],
    ({ song }, context) => from(context, Number(song?.slice(1)), ['vocals']),
  ),
  // `The guy from Blue Monday should sing on Valerie`.
  rule(
    [
      `(?:only |let |have |just |want )?${SINGER} (?:of|from|in|on) {song} (?:{modal} )?(?:only )?${SING}(?: ${OVER} {song2})?`,
    ],
    ({ song = '', song2 = '' }, context) =>
      song2 === ''
        ? from(context, Number(song.slice(1)), ['vocals'])
        : oneOverOther(context, readPart(song), readPart(song2)),
  ),
  rule(
    [
      `{song} (?:{modal} not|does not have to|is not supposed to|is not allowed to|not) (?:sing|rap|be singing|do vocals)`,
      `(?:dont|do not) let {song} (?:sing|rap)`,
      `(?:dont|do not) use {part}`,
    ],
    ({ song, part }, context) => {
      const { song: index, stems = ['vocals'] } = part ? readPart(part) : { song: Number(song?.slice(1)) };
      if (index === undefined || (part && !readPart(part).stems)) return null;
      return stems.map((stem) => ({ kind: 'without', stem, song_id: songId(context, index) }));
    },
  ),
  rule(
    [
      `(?:let |have |only |just )?{song} (?:{modal} )?${PLAY} {stems}(?: part| parts)?`,
      `(?:{use} )?{song} (?:for|on|as) {stems}`,
      `(?:for )?{stems} (?:{modal} )?(?:be|come|comes|came|coming|is|are|be taken|taken|be played|played|be done|go|is from|are from|borrowed)? ?(?:from|by|of) {song}(?: only| alone| instead)?`,
      `(?:give|hand|leave) {stems} to {song}|(?:give|hand|leave) {song} {stems}`,
      `(?:change|switch|replace|swap|exchange) {stems} (?:to|for|with|by) (?:ones |one )?(?:of |from )?{song}(?: ones| one)?`,
      `(?:replace|swap|switch) @\\d {stems} (?:with|by|for|to) {song}(?: ones| one| ${ANY_STEMS})?`,
      `{song} (?:instead of|rather than|and not|not) @\\d (?:for|on|as) {stems}`,
      `(?:take|grab|steal|borrow|use|pull|get) {stems} (?:from|of|out of|off) {song}`,
      `{stems} (?:is |are |{modal} be )?{song}`,
      `(?:for |as |on )(?:a )?{stems} (?:{use} )?{song}`,
    ],
    ({ song, stems }, context) => from(context, Number(song?.slice(1)), readStems(stems ?? '')),
  ),
  rule(
    [
      `(?:{use} )?(?:only |just )?{part}(?: {modal} (?:be in|be heard|be used|be there|be kept|play|stay))?(?: only| alone| instead| underneath| below| behind| on top| in background| as base)?(?: (?:instead of|rather than|and not|not)(?: from| of)? @\\d)?`,
    ],
    ({ part = '' }, context) => sourceOf(context, readPart(part)),
  ),
  rule(
    [
      `${PUT}{part} (?:sings |singing |sing |rap |rapping |raps |run |running |runs |play |plays |playing |go |goes |going |come |comes |{modal} (?:be|go|sing|play) |is |are |right |sung |laid |layered ){0,2}${OVER} {part2}`,
    ],
    ({ part = '', part2 = '' }, context) => oneOverOther(context, readPart(part), readPart(part2)),
  ),
  rule(
    [
      `(?:let |have |make )?{song}(?: {modal})?(?: (?:play|plays|do|does|be|provide|provides|handle|handles|run|runs|go|goes|takes?|for))?(?: rest| everything else| all else| along| underneath| below| beneath| in background| as background| as base| as backdrop| as bed| as foundation| behind)`,
      `(?:let |have |make )?{song} (?:{modal} )?(?:play|plays)`,
      `{song} (?:is|be) (?:background|base|backdrop|bed|foundation)`,
      `(?:{use} )?{song} (?:for|as|on) (?:rest|everything else|all else)`,
      `(?:rest|everything else|all else) (?:{modal} )?(?:be |come |comes |is )?(?:from|by) {song}`,
    ],
    ({ song }, context) => from(context, Number(song?.slice(1)), BACKING),
  ),
  // That songs are mixed is no wish: it is what happens anyway.
  rule(
    ['(?:mix|mash|mash up|combine|blend|of|mixing|put together) {song} (?:and|with|into|plus) {song2}(?: together)?'],
    () => [],
  ),
  rule([`${PUT}{part} ${UNDER} {part2}`], ({ part = '', part2 = '' }, context) =>
    oneOverOther(context, readPart(part2), readPart(part)),
  ),
  // `Adele with the drums of Get Lucky`.
  rule([`${PUT}{song} (?:singing |sing |sings )?(?:but |and )?with {part2}`], ({ song = '', part2 = '' }, context) => {
    const [singer, other] = [Number(song.slice(1)), readPart(part2)];
    const isClear = other.song !== undefined && other.song !== singer && other.stems?.includes('vocals') === false;
    const source = isClear ? sourceOf(context, other) : null;
    const isVoice = context.songs[singer]?.has_vocals !== false;
    return source && isVoice ? [...from(context, singer, ['vocals']), ...source] : null;
  }),
  rule([`${PUT}{part} (?:with|and) {part2}`], ({ part = '', part2 = '' }, context) => {
    const [first, second] = [sourceOf(context, readPart(part)), sourceOf(context, readPart(part2))];
    return first && second ? [...first, ...second] : null;
  }),
  fixed(
    { kind: 'swap' },
    '(?:swap|switch|exchange|flip)(?: two| both)?(?: songs| tracks| roles| parts| them)?(?: around| over| round)?',
    '(?:swap|switch|exchange|flip|reverse) (?:roles|songs|tracks|them)(?: of (?:songs|tracks|two songs|two tracks))?(?: around| over| round)?',
    '(?:do |have |try |want |put |use )?(?:(?:two |both )?(?:songs|tracks) )?(?:other way|opposite way|wrong way) (?:round|around)',
    '(?:swap|switch|exchange|reverse|change) who sings(?: and who plays)?',
    '(?:songs|tracks) swapped',
    '(?:swap|switch|trade|change) (?:places|sides|over)|(?:do |have |try |want )?other way about|reverse roles|roles reversed',
    '(?:swap|switch) (?:vocals|singing|singer|singers) and (?:beat|beats|music|backing|instrumental|drums)',
    'vice versa',
  ),
  rule(
    ['(?:swap|switch|exchange|flip) {song} (?:and|with|for) {song2}(?: around| over| round)?'],
    ({ song, song2 }, context) => (song !== song2 && context.songs.length === 2 ? [{ kind: 'swap' }] : null),
  ),
];
