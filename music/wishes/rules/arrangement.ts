/** The drop, transitions, sections, energy, and the same again. */
import { fixed, rule, valueOf, type Rule } from '../rule.ts';

const SECTIONS = '(?:sections|parts|segments|section changes)';
const TRANSITIONS =
  '(?:transitions|transition|changes between (?:sections|parts|songs)|cuts|blends|fades between songs|passages)';
const COMES =
  '(?:{be} |come |comes |coming |happen |happens |arrive |arrives |hit |hits |{modal} come |{modal} happen |{modal} hit |{modal} arrive )?';

const DROP_RULES: readonly Rule[] = [
  fixed(
    { kind: 'drop', change: 'earlier' },
    '(?:earlier|sooner|faster) drop',
    `(?:make |let |have )?drop ${COMES}(?:in )?(?:earlier|sooner|more early)(?: on)?`,
    `(?:bring|move|pull|put|shift|get) (?:drop (?:earlier|forward|sooner|up|ahead)|forward drop|forward)`,
    '(?:get|go|come) to drop (?:faster|sooner|earlier|quicker)',
    `drop ${COMES}(?:in )?too late`,
    `(?:{be} )?drop (?:{be} )?too late`,
    'drop takes too long(?: to come)?',
    'takes too long (?:to get to|until|before|to reach) drop',
  ),
  fixed(
    { kind: 'drop', change: 'later' },
    'later drop',
    `(?:make |let |have )?drop ${COMES}(?:in )?(?:later|more late)(?: on)?`,
    '(?:move|push|put|shift) (?:drop (?:later|back|backwards)|back drop)',
    '(?:delay|postpone|hold back) drop',
    `drop ${COMES}(?:in )?too (?:early|soon|fast|quickly)`,
    '(?:wait longer|longer wait) (?:before|for|until) drop',
  ),
];

const TRANSITION_RULES: readonly Rule[] = [
  fixed(
    { kind: 'transitions', change: 'smoother' },
    `(?:with |have |use |want |more ){0,3}(?:smoother|softer|gentler|smooth|gentle|nicer|cleaner|more smooth|seamless|more gradual|less abrupt|less harsh|less hard)(?: ${TRANSITIONS})?`,
    `(?:make |have )?${TRANSITIONS} (?:{mod} )?(?:more )?(?:smoother|softer|gentler|smooth|seamless|less abrupt|less harsh|gradual)`,
    `${TRANSITIONS} (?:{be} )?(?:too|so) (?:abrupt|hard|harsh|sudden|rough|sharp|choppy|jarring)`,
    `(?:smooth|smoothen|smooth out|smooth over|soften) (?:out )?${TRANSITIONS}`,
    'smooth out|smooth over|smoothen|soften transitions',
    '(?:blend|flow|mix) (?:together )?(?:better|smoother|more smoothly)(?: together)?',
  ),
  fixed(
    { kind: 'transitions', change: 'harder' },
    `(?:with |have |use |want )?(?:harder|harsher|sharper|rougher|more abrupt|more sudden|hard|abrupt|sharp|sudden) ${TRANSITIONS}(?: between (?:sections|parts|songs))?`,
    `(?:make |have )?${TRANSITIONS} (?:{mod} )?(?:more )?(?:harder|harsher|sharper|abrupt|sudden|hard)`,
    `${TRANSITIONS} (?:{be} )?too (?:smooth|soft|slow|gentle|gradual)`,
  ),
];

const SECTION_RULES: readonly Rule[] = [
  rule(
    [
      `(?:use |have |make |with |do |only |just |exactly |split into |divide into |in |into ){0,3}{num} ${SECTIONS}(?: only| in total| total| long| please)?`,
      `number of ${SECTIONS} (?:{be} )?(?:to |of )?{num}`,
    ],
    ({ num = '' }) => {
      const count = valueOf(num);
      return Number.isInteger(count) && count > 0 ? [{ kind: 'sections_exact', count }] : null;
    },
  ),
  fixed(
    { kind: 'sections', change: 'more' },
    `(?:with |use |have |add |want |need )?more (?:different )?${SECTIONS}`,
    `(?:there {be} )?(?:too few|not enough) ${SECTIONS}`,
    `add ${SECTIONS}`,
  ),
  fixed(
    { kind: 'sections', change: 'fewer' },
    `(?:with |use |have |want |need ){0,3}(?:fewer|less|not so many) (?:different )?${SECTIONS}`,
    `(?:there {be} )?too many ${SECTIONS}`,
    `reduce (?:number of )?${SECTIONS}`,
  ),
];

const FORCE = '(?:energy|power|drive|punch|intensity|excitement|oomph|action|fire|life|groove|party|party feeling)';
const LIVELY =
  '(?:energetic|powerful|intense|exciting|lively|upbeat|danceable|punchy|driving|aggressive|dynamic|wild|fun|hyped|hype|groovy|party like)';
const LIVELIER =
  '(?:harder|wilder|livelier|punchier|dancier|rowdier|hit harder|hits harder|go harder|rock more|rock harder)';
const CALM =
  '(?:calm|chill|chilled|chilled out|chill out|relaxed|relaxing|mellow|laid back|peaceful|gentle|easy going|soothing)';
const CALMER = '(?:calmer|chiller|mellower|gentler|more chill)';
const BE = '(?:be |feel |get |sound |go |become )?';

const ENERGY_RULES: readonly Rule[] = [
  rule(
    [
      `(?:with |need |needs |want |wants |give |add |has |have |put in |put |bring ){0,3}(?:more|extra|higher|bigger) ${FORCE}(?: in| into)?`,
      `${BE}(?:more )${LIVELY}`,
      `${BE}(?:${LIVELIER}|energetic|danceable)`,
      `(?:raise|boost|increase|turn up|crank up|bring up|pump up|lift|add|up) ${FORCE}(?: level| levels)?`,
      `(?:bring |turn |crank |get )?${FORCE} (?:level |levels )?(?:up|higher)`,
      `(?:there is |has )?(?:not enough|too little) ${FORCE}`,
      `(?:lacks|lack|missing) ${FORCE}`,
      `(?:{be} )?(?:too|so) (?:boring|calm|tame|sleepy|chill|mellow|flat|dull)`,
      `(?:{be} )?not ${LIVELY} enough`,
      'pump up|hype up|liven up|spice up',
    ],
    (_, { degree }) => [{ kind: 'energy', change: 'more', ...degree }],
  ),
  rule(
    [
      `(?:with |need |needs |want |give ){0,3}(?:less|lower) ${FORCE}`,
      `${BE}less (?:${LIVELY}|hectic|busy|hard)`,
      `${BE}(?:more |rather )?${CALM}`,
      `${BE}${CALMER}(?: down)?`,
      `(?:lower|reduce|decrease|turn down|bring down|tone down) ${FORCE}(?: level| levels)?`,
      `(?:bring |turn |get )?${FORCE} (?:level |levels )?(?:down|lower)`,
      `(?:there is |has )?too much ${FORCE}`,
      `(?:{be} )?(?:too|so) (?:${LIVELY}|hectic|busy|hard)`,
      'calm down|tone down|chill out|take down notch|less of party',
    ],
    (_, { degree }) => [{ kind: 'energy', change: 'less', ...degree }],
  ),
];

const AGAIN =
  '(?:again|another one|another version|another take|another try|another go|another attempt|new version|new take|new one|different version|different one|different take|different arrangement|new arrangement|other version|alternative|alternative version|alternate version|variation|one more version|something different|something else|something new)';
const AGAIN_RULES: readonly Rule[] = [
  fixed(
    { kind: 'again' },
    `(?:try|do|make|give|show|have|want|create|generate|build|need|get)? ?${AGAIN}`,
    '(?:do |try |make )?same (?:thing |songs |again |one |mashup |idea |wishes ){0,3}(?:again )?(?:and |only )?(?:but |just )?(?:a little )?(?:different|differently|in different way|arranged differently)',
    '(?:do|try|make|arrange)(?: thing)? (?:differently|different)(?: time)?',
    '(?:try|do|make) same(?: thing)? again',
    'same again|surprise|surprise me|redo|retry|regenerate|reroll|re roll|start over|mix up|roll dice|shuffle',
    '(?:try|do) (?:another|different) (?:approach|idea|way|arrangement)',
  ),
];

/** In order: the first rule that matches is used. */
export const ARRANGEMENT_RULES: readonly Rule[] = [
  ...DROP_RULES,
  ...TRANSITION_RULES,
  ...SECTION_RULES,
  ...ENERGY_RULES,
  ...AGAIN_RULES,
];
