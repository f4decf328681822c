/** The drop, transitions, sections, energy, and the same again. */
import { fixed, rule, valueOf, type Rule } from '../rule.ts';

/** Words for sections, as a pattern. */
export const SECTIONS = '(?:sections|parts|segments|section changes|bits|pieces|chunks|blocks)';
/** What transitions are between. */
const BETWEEN =
  '(?: (?:between|of|from|in|through|into) (?:different |various |two |both |each )?(?:sections|parts|songs|tracks|segments|bits|section|part|each other|one (?:section|part|song|bit) to (?:next|another|other)))';
const TRANSITIONS = `(?:(?:transitions?|changes|section changes|cuts|blends|blending|switches|changeovers|joins|jumps|crossfades?|passages)${BETWEEN}?|fades between songs|way (?:changes|switches|goes|jumps)${BETWEEN})`;
/** Words for the drop, as a pattern. */
export const DROP = '(?:(?:beat |bass |big |main )?drop)';
const SECTIONS_OR_SONGS =
  '(?:(?:sections|parts|segments|bits|songs|tracks|two songs|two tracks|two)(?: of song)?|section|part|one (?:section|part|bit|song) into (?:next|another|other))';
const COMES =
  '(?:{be} |come |comes |coming |come in |comes in |happen |happens |arrive |arrives |hit |hits |land |lands |kick in |kicks in |{modal} (?:come in|kick in|land) |{modal} come |{modal} happen |{modal} hit |{modal} arrive )?';

const ABRUPT = '(?:abrupt|abruptly|hard|harsh|sudden|suddenly|rough|sharp|choppy|jarring|jumpy|clunky|blunt|awkward)';
const SMOOTHER =
  '(?:smoother|softer|gentler|smooth|gentle|seamless|seamlessly|more gradual|gradual|fluid|flowing|less (?:abrupt|harsh|hard|sudden|jarring|choppy|jumpy|rough|clunky))';
const BLEND = '(?:blend|flow|mix|merge|melt|glue|transition)';
const BETTER = '(?:better|smoother|smoothly|nicely|seamlessly|gradually|gently|nicer|properly|easier)';
const TOGETHER = '(?:together|into each other|into one another|in|into next|into next one)';
const ONE_TO_NEXT =
  '(?:one (?:section|part|bit|song) (?:to|into) (?:next|another|other)(?: one| section| part| bit| song)?)';
const DROP_RULES: readonly Rule[] = [
  fixed(
    { kind: 'drop', change: 'earlier' },
    `(?:earlier|sooner|faster|quicker) ${DROP}`,
    `(?:make |let |have |need |want )?${DROP} ${COMES}(?:in )?(?:earlier|sooner|quicker|faster)(?: on)?`,
    `(?:bring|move|pull|put|shift|get) (?:${DROP} (?:earlier|forward|sooner|up|ahead|nearer start|closer to start)|forward ${DROP}|forward)`,
    `(?:get|go|come|jump|cut) to ${DROP} (?:faster|sooner|earlier|quicker|more quickly)`,
    `(?:faster|sooner|earlier|quicker|hurry) (?:up )?(?:to|into) ${DROP}`,
    '(?:build up|buildup|build) (?:is|takes|goes on|lasts|be|feels|was) (?:too long|ages|forever)|(?:shorter|quicker|faster) (?:build up|buildup)',
    `${DROP} ${COMES}(?:in )?(?:too|so) (?:late|far in|slow|slowly)`,
    `(?:{be} )?${DROP} (?:{be} )?too late`,
    `${DROP} (?:takes|took) (?:too long|ages|forever|long|long time|way too long)(?: to (?:come|arrive|hit|get there|happen))?`,
    `(?:takes|took) (?:too long|ages|forever|long|long time) (?:to get to|until|before|to reach|to|for|till) ${DROP}(?: (?:comes|hits|to come|to hit))?`,
    `(?:wait|waiting) (?:too long|ages|forever|so long|long time) for ${DROP}`,
    `(?:less|shorter) (?:waiting|wait|time|build up|buildup) (?:for|until|before|to) ${DROP}`,
  ),
  fixed(
    { kind: 'drop', change: 'later' },
    `later ${DROP}`,
    '(?:build up|buildup|build) (?:is|be|feels|was) too (?:short|quick|fast)|longer (?:build up|buildup)',
    `(?:make |let |have |need |want )?${DROP} ${COMES}(?:in )?later(?: on)?`,
    `(?:move|push|put|shift|bring) (?:${DROP} (?:later|back|backwards)|back ${DROP})`,
    `(?:delay|postpone|hold back|hold off on|hold) ${DROP}(?: back| off)?(?: longer)?`,
    `${DROP} ${COMES}(?:in )?(?:too|so) (?:early|soon|fast|quickly|quick)`,
    `(?:wait|build up|build) longer (?:before|for|until|to) ${DROP}`,
    `(?:longer|more) (?:wait|build up|buildup|build|time) (?:before|for|until|to) ${DROP}`,
    `(?:too|so) (?:fast|quick|soon|early) (?:to|into) ${DROP}`,
  ),
];

const TRANSITION_RULES: readonly Rule[] = [
  fixed(
    { kind: 'transitions', change: 'smoother' },
    `(?:with |have |use |want |be |sound |more ){0,3}(?:${SMOOTHER}|nicer|cleaner|better)(?: ${TRANSITIONS})`,
    `(?:with |have |use |want |be |sound |feel |more ){0,3}${SMOOTHER}`,
    `(?:make |have |do )?${TRANSITIONS} (?:{mod} )?(?:more )?(?:${SMOOTHER}|gradually)`,
    `(?:with )?(?:less|fewer) (?:${ABRUPT} )${TRANSITIONS}`,
    `${TRANSITIONS} (?:{be} )?(?:too|so) (?:${ABRUPT}|quick|quickly|fast)`,
    `${TRANSITIONS} (?:is|are|sounds?|feels?) ${ABRUPT}`,
    `(?:{be} )?(?:too|so) (?:choppy|jumpy|jarring|disjointed|stop start)|(?:is|sounds?|feels?) (?:choppy|jumpy|jarring|disjointed)`,
    `(?:changes|switches|jumps|cuts|goes|moves)${BETWEEN}? (?:too |so )${ABRUPT}`,
    `(?:smooth|smoothen|smooth out|smooth over|soften|iron out|ease) (?:out )?${TRANSITIONS}(?: out| over)?`,
    'smooth out|smooth over|smoothen|smooth',
    `(?:${BLEND} )?${SECTIONS_OR_SONGS} ${BLEND}(?: ${TOGETHER})? ${BETTER}(?: ${TOGETHER})?`,
    `${BLEND}(?: ${SECTIONS_OR_SONGS})?(?: ${TOGETHER})? ${BETTER}(?: ${TOGETHER})?`,
    `${SECTIONS_OR_SONGS} ${BLEND} ${TOGETHER}`,
    `(?:${BLEND}|fade) (?:from )?${ONE_TO_NEXT}(?: ${BETTER})?`,
    `(?:go|move|change|run) (?:from )?${ONE_TO_NEXT} ${BETTER}`,
    `(?:crossfade|fade) (?:between|through) ${SECTIONS_OR_SONGS}`,
    `(?:does not|do not) flow|(?:better|more) flow(?:${BETWEEN})?`,
  ),
  fixed(
    { kind: 'transitions', change: 'harder' },
    `(?:with |have |use |want )?(?:harder|harsher|sharper|rougher|snappier|tighter|more abrupt|more sudden|hard|abrupt|sharp|sudden|straight|quick|snappy) ${TRANSITIONS}`,
    `(?:hard|straight) cut|cut (?:straight|hard|directly|abruptly)${BETWEEN}?|cut (?:straight|directly) (?:from )?${ONE_TO_NEXT}`,
    `(?:no|without|do not) (?:fades?|crossfades?|fading|blending)${BETWEEN}`,
    `(?:make |have )?${TRANSITIONS} (?:{mod} )?(?:more )?(?:harder|harsher|sharper|snappier|abrupt|sudden|hard)`,
    `${TRANSITIONS} (?:{be} )?too (?:smooth|soft|slow|gentle|gradual|long)`,
  ),
];

const SECTION_RULES: readonly Rule[] = [
  rule(
    [
      `(?:use |have |make |with |do |only |just |exactly |split |split up |divide |break |break up |cut |in |into |to ){0,4}{num} ${SECTIONS}(?: only| in total| total| long| please)?`,
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
    `(?:add|increase number of|add in) (?:more )?${SECTIONS}`,
    '(?:change|switch) (?:around )?more often',
  ),
  fixed(
    { kind: 'sections', change: 'fewer' },
    `(?:with |use |have |want |need ){0,3}(?:fewer|less|not so many) (?:different )?${SECTIONS}`,
    `(?:there {be} |has |have |got )?too many (?:different )?${SECTIONS}`,
    `(?:changes|switches|jumps) (?:around )?too (?:often|much)(?: ${BETWEEN})?`,
    '(?:change|switch|jump) (?:around )?less often',
    `(?:{lower}|cut) (?:number of )?${SECTIONS}`,
  ),
];

const FORCE =
  '(?:energy|power|drive|punch|intensity|excitement|oomph|action|fire|life|groove|party|party feeling|bounce|spark|hype|adrenaline|welly|pep|zip)';
const LIVELY =
  '(?:energetic|powerful|intense|exciting|lively|upbeat|danceable|punchy|driving|aggressive|dynamic|wild|fun|hyped|hype|groovy|party like|hyper|peppy|bouncy|high energy|full on|alive|pumping|pumped|pumped up|banging|epic|hardcore|heavy hitting|rocking|club like|energising|energizing)';
const LIVELIER =
  '(?:harder|wilder|livelier|punchier|dancier|rowdier|hit harder|hits harder|go harder|rock more|rock harder|bang harder|bang more|bang|slap harder|slap|pop more|pop|bounce more|party harder|go off|wake up|come alive)';
const CALM =
  '(?:calm|chill|chilled|chilled out|chill out|relaxed|relaxing|mellow|laid back|peaceful|gentle|easy going|soothing|tranquil|dreamy|low key|cosy|cozy|calming|calmed down|toned down)';
const CALMER = '(?:calmer|chiller|mellower|gentler|cosier|sleepier)';
const BE = '(?:be |feel |get |sound |go |become |something ){0,2}';

const ENERGY_RULES: readonly Rule[] = [
  rule(
    [
      `(?:with |need |needs |want |wants |give |add |has |have |put in |put |bring ){0,3}(?:more|extra|higher|bigger) ${FORCE}(?: in| into)?`,
      `${BE}(?:more )${LIVELY}`,
      `${BE}(?:${LIVELIER}|energetic|danceable)`,
      `(?:{raise}|add|bring|bring in|inject|give) (?:in |some )?${FORCE}(?: level| levels)?(?: in| to| into)?`,
      `(?:bring |turn |crank |get |push |take )?${FORCE} (?:level |levels )?(?:{mod} )?(?:up|higher|bigger|turned up|raised|increased)`,
      `(?:there is |has |there be )?(?:not enough|too little|no|not much) ${FORCE}`,
      `(?:lacks|lack|lacking|missing|misses|short on|low on)(?: in)? ${FORCE}|{be} (?:lacking|missing|low)(?: in| on)? ${FORCE}|${FORCE} (?:{be} )?too low`,
      '(?:want |need )?more going on|(?:there is )?not (?:enough|much) going on',
      '(?:take|kick|step|bring|crank) (?:up )?(?:notch|to next level|gear)',
      `(?:{be} )?(?:too|so) (?:boring|calm|tame|sleepy|chill|mellow|flat|dull|bland|lifeless|low energy|laid back|relaxed)|(?:is|sounds?|feels?|gets?) (?:boring|dull|bland|flat|lifeless)|boring`,
      `(?:{be} )?not ${LIVELY} enough`,
      'pump up|hype up|liven up|spice up|amp up|pep up|jazz up|beef up|perk up|rev up|fire up|wake up|more of party|more like party|get people dancing|get everyone dancing',
    ],
    (_, { degree }) => [{ kind: 'energy', change: 'more', ...degree }],
  ),
  rule(
    [
      `(?:with |need |needs |want |give ){0,3}(?:less|lower) ${FORCE}`,
      `${BE}(?:less|not so|not as) (?:${LIVELY}|hectic|busy|hard|frantic|manic|crazy|full on|in your face)`,
      `${BE}(?:more |rather )?${CALM}`,
      `${BE}${CALMER}(?: down)?`,
      `{lower} ${FORCE}(?: level| levels)?`,
      `(?:bring |turn |get )?${FORCE} (?:level |levels )?(?:down|lower)`,
      `(?:there is |has )?too much ${FORCE}`,
      '(?:want |need )?less going on|(?:there is )?too much going on',
      `(?:{be} )?(?:too|so) (?:${LIVELY}|hectic|busy|hard|frantic|manic|crazy|in your face|over top)`,
      'calm down|tone down|chill out|(?:take|bring|tone) down notch|less of party|cool down|wind down|slow jam|mellow out|settle down|take easy|dial down|dial back|ease off|ease up|simmer down|chill',
    ],
    (_, { degree }) => [{ kind: 'energy', change: 'less', ...degree }],
  ),
];

const AGAIN =
  '(?:again|another one|another version|another take|another try|another go|another attempt|new version|new take|new one|different version|different one|different take|different arrangement|new arrangement|other version|alternative|alternative version|alternate version|variation|one more version|something different|something else|something new|one more|one more time|once more|another mix|another stab|another shot|another crack|another spin|another variation|another option|another idea|fresh version|fresh take|different mix|different idea|different approach|whole new one|different spin|from scratch|over again|over)';
const AGAIN_RULES: readonly Rule[] = [
  fixed(
    { kind: 'again' },
    `(?:try|do|make|give|show|have|want|create|generate|build|need|get|hear|see|come up with|go for|run|produce|mix|render)? ?${AGAIN}`,
    '(?:do |try |make )?same (?:thing |songs |again |one |mashup |idea |wishes ){0,3}(?:again )?(?:and |only )?(?:but |just )?(?:a little )?(?:different|differently|in different way|arranged differently)',
    '(?:do|try|make|arrange)(?: thing)? (?:differently|different)(?: time)?',
    '(?:try|do|make) same(?: thing)? again',
    'same again|surprise|surprise me|redo|do over|retry|regenerate|remake|reroll|re roll|start over|start again|start from scratch|mix up|roll dice|shuffle|next one',
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
