/** Length, tempo and key. */
import type { Wish } from '../../../schema.ts';
import { rule, valueOf, type ClauseContext, type Rule } from '../rule.ts';

const ABOUT =
  '(?:(?:about|around|roughly|exactly|approximately|approx|circa|ca|near|nearly|like|say|something like|somewhere around|more like|closer to|close to|just|just over|just under|little over|little under|precisely|more or less|only|total) ){0,3}';
const OR_SO = '(?: or so| ish| roughly| approximately| exactly| sharp| in total| total| or thereabouts)?';
const AT_MOST =
  '(?:max|maximum|maximum of|at most|up to|no longer than|not longer than|no more than|not more than|not over|under|less than|shorter than|below|within)';
const OR_LESS = '(?:max|maximum|tops|at most|or less|or shorter|or under)';
const AT =
  '(?:set |change |put |get |bring |move |keep |play |run |go |speed |slow )?(?:up |down )?(?:to |at |with |in )?';
const TEMPO = '(?:tempo|speed|bpm|pace)';
const UP = '(?:up|raise|raised|increase|increased|higher|faster|quicker)';
const DOWN = '(?:down|reduce|reduced|lower|decrease|decreased|slower|lowered|back)';
const CHANGE =
  '(?:set|change|put|get|bring|move|switch|shift|transpose|pitch|play|sing|try|do|go|tune|take|drop|raise|lower)';

/** The mashup as a whole. */
const ALL = '(?:all |everything |both |both songs |whole thing |whole song |whole mashup )?';
/** Asks for less of what is there. `It is not so slow` may be praise. */
const NOT_SO = '(?:be |go )?not (?:so|as|quite so|quite as|too)';

/** What may stand before a limit of the length. */
const KEEP =
  '(?:(?:keep|make|set|limit|last|lasts|be|run|go|cut|get|bring|trim|shorten|stay)(?: down)?(?: to| for| at)? )?(?:length |duration )?(?:{be} )?(?:of |to |for )?';

/** Lengths under this are slips of the pen: no song has them. */
const MIN_LENGTH_SEC = 5;
/** Nobody asks for a slower mashup: less is a difference. */
const MIN_BPM = 40;

const lengthRule = (change: 'longer' | 'shorter', ...patterns: string[]): Rule =>
  rule(patterns, ({ sec = '' }, { degree }) => [
    { kind: 'length', change, ...(sec === '' ? degree : { by_sec: valueOf(sec) }) },
  ]);

const tempoRule = (change: 'faster' | 'slower', ...patterns: string[]): Rule =>
  rule(patterns, ({ bpm = '', num = '' }, { degree }) => {
    const by = bpm || num;
    return [{ kind: 'tempo', change, ...(by === '' ? degree : { by_bpm: valueOf(by) }) }];
  });

/** Wish for a key by semitones: 1 if none are named, 0 is no wish. */
const keyRule = (direction: 1 | -1, ...patterns: string[]): Rule =>
  rule(patterns, ({ tones = '' }) => {
    const semitones = tones === '' ? 1 : valueOf(tones);
    const isKnown = Number.isInteger(semitones) && semitones > 0 && semitones <= 12;
    return isKnown ? [{ kind: 'key', semitones: direction * semitones }] : null;
  });

const tempoOf = (song: string, { songs }: ClauseContext): Wish[] | null => {
  const bpm = songs[Number(song.slice(1))]?.bpm;
  return bpm === undefined ? null : [{ kind: 'tempo_exact', bpm: Math.round(bpm * 10) / 10 }];
};
const keyOf = (song: string, { songs }: ClauseContext): Wish[] | null => {
  const key = songs[Number(song.slice(1))]?.key;
  return key === undefined ? null : [{ kind: 'key_exact', key }];
};

const LENGTH_RULES: readonly Rule[] = [
  rule(
    [
      `(?:(?:cut|trim|shorten|bring|get|reduce|extend|stretch|squeeze|chop|edit|lengthen|make|squash|condense) (?:length )?(?:down |out |up )?to |(?:keep|make|set|limit|last|lasts|be|run|go for|aim for|aim at) )?(?:for |to |at |length |duration |of ){0,3}(?:length of )?${ABOUT}{sec}(?: long| in length| in total| total| or so| ish| exactly| mashup| version| edit| mix| cut| clip| (?:is|be|would be|should be) (?:enough|fine|good|plenty|ok|perfect|great|ideal|better|right)| would do| will do| only| length| sharp){0,3}`,
      `(?:length|duration|total length|running time) (?:{be} )?(?:of |to )?${ABOUT}{sec}${OR_SO}`,
      `(?:should |must |has to |needs to |to |can |could )?(?:last|be|run|take|go on|go)(?: for)? ${ABOUT}{sec}(?: long)?${OR_SO}`,
    ],
    ({ sec = '' }) => (valueOf(sec) < MIN_LENGTH_SEC ? null : [{ kind: 'length_exact', sec: valueOf(sec) }]),
  ),
  rule(
    [
      `${KEEP}${AT_MOST} {sec}(?: long| in length| in total| total)?`,
      `${KEEP}${ABOUT}{sec}(?: long)? ${OR_LESS}`,
      `do not (?:make|let) (?:be |run |last |go )?(?:longer than|over|go over|run over) {sec}|not be (?:longer than|over) (?<limit>#s[\\d.]+)`,
    ],
    ({ sec, limit }) => {
      const most = valueOf(sec || limit || '');
      return most < MIN_LENGTH_SEC ? null : [{ kind: 'length_limit', sec: most }];
    },
  ),
  lengthRule(
    'longer',
    '(?:be |get |become |want )?(?:longer|lengthier)(?: (?:by )?{sec})?',
    '(?:longer|extended) (?:version|mix|one|cut|edit)',
    '{sec} (?:longer|more|extra|on top)',
    '(?:extend|lengthen|stretch|prolong|make longer|drag out)(?: length)?(?: out)?(?: (?:by|for) (?:about |around |another |like )?{sec}(?: more)?)?',
    '(?:go|last|run|play|keep going) (?:on )?(?:for )?(?:longer|{sec} (?:longer|more))',
    '(?:add|extend by|add another|another|add extra) {sec}(?: more| extra| to)?',
    '(?:{be} )?too short',
    '(?:{be} )?not long enough',
    `${NOT_SO} short`,
    '(?:{be} )?over too (?:soon|quickly|fast|early|quick)|(?:ends|finishes|stops|be over|done) too (?:soon|early|quickly|quick)',
    '(?:{raise}|more) (?:length|duration|running time)(?: by {sec})?',
  ),
  lengthRule(
    'shorter',
    '(?:be |get |become |want )?shorter(?: (?:by )?{sec})?',
    '(?:shorter|shortened) (?:version|mix|one|cut|edit)',
    '{sec} (?:shorter|less)',
    '(?:shorten|trim|trim down|cut down|tighten|tighten up|cut short|keep short|keep shorter)(?: length)?(?: (?:by|with) {sec})?',
    '(?:goes on|go on|going on|drags|dragging|drag|lasts|goes) (?:on )?(?:for )?(?:too long|forever|ages)|drags on|drag on|long winded',
    '(?:cut|remove|take off|take away|trim|lose|drop|cut off|cut out|shave off|chop off|knock off) {sec}(?: off| away| out)?',
    '(?:take|shave|chop|knock) {sec} (?:off|away|out)(?: (?:of )?(?:end|length))?',
    '(?:{be} )?too (?:long|lengthy)',
    `${NOT_SO} long`,
    '(?:{lower}|less|cut) (?:length|duration|running time)(?: by {sec})?',
  ),
];

const TEMPO_RULES: readonly Rule[] = [
  rule(
    [
      `${AT}{bpm}`,
      `(?:set |change |get |bring |put |slow |take |move |{raise} |{lower} )?${TEMPO} (?:{be} )?(?:up |down |set )?(?:of |to |at )?${ABOUT}(?<value>#[nb][\\d.]+)${OR_SO}`,
      `(?:should |must |has to |to )?(?:be |run |go |play |sit )(?:at )?${ABOUT}{bpm}${OR_SO}`,
      `${AT}${ABOUT}{bpm}${OR_SO}(?: (?:tempo|speed|pace))?`,
      `(?:do |go |run |play )?at (?<value>#n(?:[6-9]\\d|1\\d\\d))(?: (?:tempo|speed))?`,
      `(?:slow|slow down|speed|speed up|go up|go down|drop|{raise}|{lower}) (?:down |up )?(?:${TEMPO} )?to ${ABOUT}{bpm}${OR_SO}`,
      `(?:slow|slow down|speed|speed up) (?:down |up )?to ${ABOUT}(?<value>#n\\d+)`,
      `(?:{raise}|{lower}|drop|drop down|go up|go down) to ${ABOUT}(?<value>#n(?:[6-9]\\d|1\\d\\d))`,
    ],
    // `increase the tempo 5 bpm` is no tempo of 5.
    ({ bpm, value }) => {
      const exact = valueOf(bpm || value || '');
      return exact < MIN_BPM ? null : [{ kind: 'tempo_exact', bpm: exact }];
    },
  ),
  rule(
    [
      `(?:use |take |keep |at |in |with |match |play at |set to |adopt |go with ){0,3}${TEMPO} (?:of|from) {song}`,
      `(?:use |take |keep |at |in |with |match |play at |set to |adopt |go with ){0,3}{song} ${TEMPO}`,
      `(?:as|same) (?:fast|slow|fast and slow|quick) as {song}(?: is| goes)?`,
      `(?:match|same) ${TEMPO} (?:as|of|to|like|with) {song}`,
      `(?:match|follow) {song} ${TEMPO}|${TEMPO} (?:{be} )?(?:like|same as|that of|as in) {song}`,
      `(?:use |take |keep |at |in |with ){0,3}(?:original|normal|natural) ${TEMPO} (?:of|from) {song}|(?:use |take |keep |at |in |with ){0,3}{song} (?:original|normal|natural) ${TEMPO}`,
    ],
    ({ song = '' }, context) => tempoOf(song, context),
  ),
  tempoRule(
    'faster',
    '(?:go |be |get |play |run |become |want |move )?(?:faster|quicker|speedier|less slow|sped up|speeded up)(?: tempo| pace| speed| version)?(?: (?:by )?{bpm})?',
    '{bpm} (?:faster|quicker|more|up|higher)',
    `(?:speed|speed up|accelerate|hurry up|quicken|quicken up|pick up pace|pick up speed)(?: ${TEMPO})?(?: up)?(?: by (?:{bpm}|{num}))?`,
    `(?:{be} )?(?:too )?sluggish`,
    `(?:{raise}|pick up|quicken|speed up|higher|more) ${TEMPO}(?: (?:by )?(?:{bpm}|{num}))?`,
    `(?:bring |turn |push |take |get |move |put |crank |bump |pull |set )?${TEMPO} (?:{mod} )?${UP}(?: (?:by )?(?:{bpm}|{num}))?`,
    `(?:{be} )?too slow|${TEMPO} (?:{be} )?too (?:slow|low)`,
    '(?:{be} )?not fast enough',
    `${NOT_SO} slow`,
  ),
  tempoRule(
    'slower',
    '(?:go |be |get |play |run |become |want |move )?(?:slower|slowed down|slowed|less fast)(?: tempo| pace| speed| version)?(?: (?:by )?{bpm})?',
    '{bpm} (?:slower|less|down|lower)',
    `(?:slow down|slow|decelerate)(?: ${TEMPO})?(?: down)?(?: by (?:{bpm}|{num}))?`,
    `(?:{lower}|drop|slow down|less) ${TEMPO}(?: (?:by )?(?:{bpm}|{num}))?`,
    `(?:bring |turn |take |get |move |put |drop |pull |set )?${TEMPO} (?:{mod} )?${DOWN}(?: (?:by )?(?:{bpm}|{num}))?`,
    `(?:{be} )?(?:too (?:fast|quick|rushed|hurried)|rushed)`,
    `${TEMPO} (?:{be} )?too (?:fast|high)`,
    '(?:{be} )?not slow enough',
    `${NOT_SO} (?:fast|quick|rushed)`,
  ),
];

const KEY_RULES: readonly Rule[] = [
  rule(
    [
      `(?:${CHANGE} |want |have )?${ALL}(?:key )?(?:in |to |into |be in |be |key of |in key of |is |as ){0,3}{key}`,
      `(?:${CHANGE} |want )?(?:key|in key|to key) (?:{be} |to |of |in ){0,3}{key}`,
      `{key} as key`,
      '{key} (?:is|feels|sounds) better',
    ],
    ({ key = '' }) => [{ kind: 'key_exact', key: key.slice(2).replace('_', ' ') }],
  ),
  rule(
    [
      `(?:${CHANGE} |use |take |keep |want )?(?:in |to |into |with )?key (?:of|from) {song}`,
      `(?:${CHANGE} |use |take |keep |want )?(?:in |to |into |with )?{song} key`,
      '(?:match|same) key (?:as|of|to|like|with) {song}',
      '(?:match|follow) {song} key|(?:use |keep |in |take ){0,2}(?:original|normal) key (?:of|from) {song}|(?:use |keep |in |take ){0,2}{song} (?:original|normal) key',
      'in same key as {song}',
    ],
    ({ song = '' }, context) => keyOf(song, context),
  ),
  keyRule(
    1,
    `(?:${CHANGE} )?{tones} (?:higher|up|sharper)(?: in key| in pitch)?`,
    `(?:pitch|transpose|key|tune|shift|move|bring|take|raise|push|go) (?:key |pitch |${ALL})?up(?: (?:by )?{tones})?`,
    '(?:{raise}|higher) (?:key|pitch)(?: (?:by )?{tones})?',
    `(?:{raise}|go up|pitch up|move up|transpose up|shift up) ${ALL}(?:by )?{tones}`,
    '(?:bring |take |move |shift |turn |make |put |push |pull |set )?(?:key|pitch) (?:{mod} )?(?:up|higher)(?: (?:by )?{tones})?',
    '(?:bring |take |move |shift |turn |make )?(?:key|pitch) (?:by )?{tones} (?:up|higher)',
    '(?:key|pitch) (?:{be} )?too low|(?:{be} )?too low(?: in (?:pitch|key)| pitched| to sing| to sing along| for voice| for me to sing| for me| for us)',
    'higher (?:in )?(?:pitch|key)|higher pitched|(?:pitch|sing|play|transpose|put) higher',
    '(?:up|higher) (?:by )?{tones}',
  ),
  keyRule(
    -1,
    `(?:${CHANGE} )?{tones} (?:lower|down|flatter|deeper)(?: in key| in pitch)?`,
    `(?:pitch|transpose|key|tune|shift|move|bring|take|drop|push|go) (?:key |pitch |${ALL})?down(?: (?:by )?{tones})?`,
    '(?:{lower}|drop) (?:key|pitch)(?: (?:by )?{tones})?',
    `(?:{lower}|drop|go down|pitch down|move down|transpose down|shift down) ${ALL}(?:by )?{tones}`,
    '(?:bring |take |move |shift |turn |make |put |push |pull |set |drop )?(?:key|pitch) (?:{mod} )?(?:down|lower)(?: (?:by )?{tones})?',
    '(?:bring |take |move |shift |turn |make )?(?:key|pitch) (?:by )?{tones} (?:down|lower)',
    '(?:key|pitch) (?:{be} )?too high|(?:{be} )?too high(?: in (?:pitch|key)| pitched| to sing| to sing along| for voice| for me to sing| for me| for us)',
    'lower (?:in )?(?:pitch|key)|lower pitched|(?:pitch|sing|play|transpose|put) lower',
    '(?:down|lower) (?:by )?{tones}',
  ),
];

const KEEP_RULES: readonly Rule[] = (['tempo', 'key', 'length'] as const).map((what) => {
  const noun = { tempo: TEMPO, key: '(?:key|pitch)', length: '(?:length|duration)' }[what];
  return rule(
    [
      `(?:keep|leave|with|have|use|at|in|stay at|stay in)? ?(?:same|current|original) ${noun}(?: as (?:before|now|is))?`,
      `(?:keep|leave|hold|maintain|stay at|stick to|stick with|do not lose|preserve) ${noun}(?: (?:same|unchanged|as is|as it is|as be|alone|where is|constant|at same|be|as was|like is|like now|how is|steady|for now))?`,
      `(?:keep|leave|stay) (?:at |in |to |with )?(?:same|current|original) ${noun}`,
      `(?:do not|without|not|no) (?:change|changing|touch|touching|alter|altering|affect|affecting|mess with|messing with|move|moving|messing up|mess up|adjust|adjusting|changes? (?:to|of|in)) ${noun}`,
      `${noun} (?:{modal} )?(?:stay|stays|be|is|remain|remains) (?:same|fine|good|great|perfect|ok|okay|right|as is|as be|unchanged|spot on)`,
    ],
    () => [{ kind: 'keep', what }],
  );
});

/** In order: the first rule that matches is used. */
export const TIME_AND_PITCH_RULES: readonly Rule[] = [...KEEP_RULES, ...LENGTH_RULES, ...TEMPO_RULES, ...KEY_RULES];
