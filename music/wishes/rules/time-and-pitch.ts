/** Length, tempo and key. */
import type { Wish } from '../../../schema.ts';
import { rule, valueOf, type ClauseContext, type Rule } from '../rule.ts';

const AT = '(?:set |change |put |get |bring |move |keep |play |run )?(?:to |at |with |in )?';
const TEMPO = '(?:tempo|speed|bpm|pace)';
const UP = '(?:up|raise|raised|increase|higher|faster)';
const DOWN = '(?:down|reduce|lower|decrease|slower|lowered)';
const CHANGE = '(?:set|change|put|get|bring|move|switch|shift|transpose|pitch|play|do|go|tune)';

/** Lengths under this are slips of the pen: no song has them. */
const MIN_LENGTH_SEC = 5;

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
      `(?:(?:cut|trim|shorten|bring|get|reduce|extend|stretch) (?:length )?(?:down )?to |(?:keep|make|set|limit|last|lasts|be|run|go for|aim for|aim at) )?(?:for |to |at |length |duration |of ){0,3}(?:about |around |roughly |exactly |approximately |circa |ca |near |nearly |only |max |maximum |at most |up to |no longer than |not longer than |no more than |not more than |under |total |length of |more like ){0,3}{sec}(?: long| in length| in total| total| max| maximum| tops| at most| or so| exactly| mashup| version| is enough| is fine| is good| would do| will do| only| length| sharp){0,3}`,
      `(?:length|duration|total length|running time) (?:{be} )?(?:of |to )?(?:about |around |exactly )?{sec}`,
      `(?:should |must |has to |needs to |to |can |could )?(?:last|be|run|take|go on for)(?: for)? (?:about |around |exactly )?{sec}(?: long)?`,
    ],
    ({ sec = '' }) => (valueOf(sec) < MIN_LENGTH_SEC ? null : [{ kind: 'length_exact', sec: valueOf(sec) }]),
  ),
  lengthRule(
    'longer',
    '(?:be |get |become |want )?(?:longer|lengthier)(?: (?:by )?{sec})?',
    '(?:longer|extended) (?:version|mix|one)',
    '{sec} (?:longer|more|extra)',
    '(?:extend|lengthen|stretch|prolong|make longer)(?: length)?(?: out)?(?: by {sec})?',
    '(?:add|extend by|add another|another|add extra) {sec}(?: more| extra| to)?',
    '(?:{be} )?too short',
    '(?:{be} )?not long enough',
    '(?:increase|more|raise) (?:length|duration)(?: by {sec})?',
  ),
  lengthRule(
    'shorter',
    '(?:be |get |become |want )?shorter(?: (?:by )?{sec})?',
    '(?:shorter|shortened) (?:version|mix|one)',
    '{sec} shorter',
    '(?:shorten|trim|trim down|cut down|tighten)(?: length)?(?: by {sec})?',
    '(?:cut|remove|take off|take away|trim|lose|drop|cut off|cut out|shave off) {sec}(?: off| away)?',
    '(?:{be} )?too long',
    '(?:reduce|less|decrease) (?:length|duration)(?: by {sec})?',
  ),
];

const TEMPO_RULES: readonly Rule[] = [
  rule(
    [
      `${AT}{bpm}`,
      `(?:set |change |get |bring |bump |bump up |put |lower |raise |reduce |increase |slow |take )?${TEMPO} (?:{be} )?(?:up |down )?(?:of |to |at )?(?:about |around |exactly )?(?<value>#[nb][\\d.]+)`,
      `(?:should |must |has to |to )?(?:be |run |go |play )(?:at )?(?:about |around |exactly )?{bpm}`,
      `(?:about |around |exactly ){bpm}`,
      `(?:slow|slow down|speed|speed up|go up|go down|drop) (?:down |up )?(?:tempo )?to {bpm}`,
    ],
    ({ bpm, value }) => [{ kind: 'tempo_exact', bpm: valueOf(bpm || value || '') }],
  ),
  rule(
    [
      `(?:use |take |keep |at |in |with |match |play at |set to |adopt |go with ){0,3}${TEMPO} (?:of|from) {song}`,
      `(?:use |take |keep |at |in |with |match |play at |set to |adopt |go with ){0,3}{song} ${TEMPO}`,
      `as (?:fast|slow) as {song}`,
      `(?:match|same) ${TEMPO} (?:as|of|to) {song}`,
    ],
    ({ song = '' }, context) => tempoOf(song, context),
  ),
  tempoRule(
    'faster',
    '(?:go |be |get |play |run |become |want )?(?:faster|quicker|more fast|speedier)(?: tempo| pace| speed| version)?(?: (?:by )?{bpm})?',
    '{bpm} (?:faster|quicker|more|up|higher)',
    `(?:speed up|accelerate|hurry up|quicken|pick up pace|pick up speed)(?: ${TEMPO})?(?: by {bpm})?`,
    `(?:raise|increase|up|pick up|lift|bring up|turn up|push up|higher|more) ${TEMPO}(?: by (?:{bpm}|{num}))?`,
    `(?:bring |turn |push |take |get )?${TEMPO} (?:{mod} )?${UP}(?: by {bpm})?`,
    `(?:{be} )?too (?:slow|low tempo)`,
    `${TEMPO} (?:{be} )?too (?:slow|low)`,
    '(?:{be} )?not fast enough',
  ),
  tempoRule(
    'slower',
    '(?:go |be |get |play |run |become |want )?(?:slower|more slowly|more slow)(?: tempo| pace| speed| version)?(?: (?:by )?{bpm})?',
    '{bpm} (?:slower|less|down|lower)',
    `(?:slow down|slow|decelerate)(?: ${TEMPO})?(?: down)?(?: by {bpm})?`,
    `(?:lower|reduce|decrease|drop|bring down|turn down|less) ${TEMPO}(?: by (?:{bpm}|{num}))?`,
    `(?:bring |turn |take |get )?${TEMPO} (?:{mod} )?${DOWN}(?: by {bpm})?`,
    `(?:{be} )?too (?:fast|quick|rushed)`,
    `${TEMPO} (?:{be} )?too (?:fast|high)`,
    '(?:{be} )?not slow enough',
  ),
];

const KEY_RULES: readonly Rule[] = [
  rule(
    [
      `(?:${CHANGE} |want |have )?(?:key )?(?:in |to |into |be in |be |key of |in key of |is |as ){0,3}{key}`,
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
      '(?:match|same) key (?:as|of|to) {song}',
      'in same key as {song}',
    ],
    ({ song = '' }, context) => keyOf(song, context),
  ),
  keyRule(
    1,
    '{tones} (?:higher|up|sharper)(?: in key| in pitch)?',
    '(?:pitch|transpose|key|tune|shift|move|bring|take|raise|push|go) (?:key |pitch )?up(?: (?:by )?{tones})?',
    '(?:raise|increase|higher|lift|up) (?:key|pitch)(?: (?:by )?{tones})?',
    '(?:raise|increase|lift|up) (?:by )?{tones}',
    '(?:bring |take |move |shift |turn |make )?(?:key|pitch) (?:{mod} )?(?:up|higher)(?: (?:by )?{tones})?',
    '(?:bring |take |move |shift |turn |make )?(?:key|pitch) (?:by )?{tones} (?:up|higher)',
    '(?:key|pitch) (?:{be} )?too low',
    'higher (?:in )?(?:pitch|key)',
    '(?:up|higher) (?:by )?{tones}',
  ),
  keyRule(
    -1,
    '{tones} (?:lower|down|flatter|deeper)(?: in key| in pitch)?',
    '(?:pitch|transpose|key|tune|shift|move|bring|take|drop|push|go) (?:key |pitch )?down(?: (?:by )?{tones})?',
    '(?:lower|decrease|reduce|drop|bring down) (?:key|pitch)(?: (?:by )?{tones})?',
    '(?:lower|drop|decrease) (?:by )?{tones}',
    '(?:bring |take |move |shift |turn |make )?(?:key|pitch) (?:{mod} )?(?:down|lower)(?: (?:by )?{tones})?',
    '(?:bring |take |move |shift |turn |make )?(?:key|pitch) (?:by )?{tones} (?:down|lower)',
    '(?:key|pitch) (?:{be} )?too high',
    'lower (?:in )?(?:pitch|key)',
    '(?:down|lower) (?:by )?{tones}',
  ),
];

const KEEP_RULES: readonly Rule[] = (['tempo', 'key', 'length'] as const).map((what) => {
  const noun = { tempo: TEMPO, key: '(?:key|pitch)', length: '(?:length|duration)' }[what];
  return rule(
    [
      `(?:keep|leave|with|have|use|at|in|stay at|stay in)? ?(?:same|current|original) ${noun}(?: as (?:before|now|is))?`,
      `(?:keep|leave|hold|maintain|stay at|stick to) ${noun}(?: (?:same|unchanged|as is|alone|where is|constant|at same|be|as was))?`,
      `(?:do not|dont|without) (?:change|changing|touch|touching|alter) ${noun}`,
      `${noun} (?:{modal} )?(?:stay|stays|be|is|remain|remains) (?:same|fine|good|perfect|ok|as is|unchanged)`,
    ],
    () => [{ kind: 'keep', what }],
  );
});

/** In order: the first rule that matches is used. */
export const TIME_AND_PITCH_RULES: readonly Rule[] = [...KEEP_RULES, ...LENGTH_RULES, ...TEMPO_RULES, ...KEY_RULES];
