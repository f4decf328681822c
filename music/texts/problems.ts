/** The conflicts between the songs of a mashup, and how its plan solves them. */
import type { AnalyzedSong } from '../../schema.ts';
import { contentOf } from '../theory/content.ts';
import { effectsIn, heardStems, mainSource, type SectionFacts } from './facts.ts';
import { entry, type Problem, type ProblemContext } from './problem-entry.ts';
import { songProblems } from './song-problems.ts';
import { joinWords, quoteName } from './words.ts';

/** Pairs with a lower score fit badly. */
const BAD_SCORE = 45;
/** Songs with more vocals than this sing throughout. */
const SINGS_THROUGHOUT = 0.5;

/** Lists the conflicts between the songs that are heard, and the solutions of the plan. At least one entry. */
export function describeProblems(facts: readonly SectionFacts[], context: ProblemContext): Problem[] {
  const { plan, songs } = context;
  const heard = songs.filter(({ song_id }) => heardStems(plan, song_id).size > 0);
  const found = [
    ...heard.flatMap((song, turn) => songProblems(song, context, turn)),
    ...voiceProblems(heard, facts, context),
    ...scoreProblem(facts, context),
  ];
  return found.length > 0 ? found : [noProblem(facts, context)];
}

function voiceProblems(
  heard: readonly AnalyzedSong[],
  facts: readonly SectionFacts[],
  { plan, songs, say }: ProblemContext,
): Problem[] {
  const singers = heard.filter(({ analysis }) => analysis.vocal.vocal_presence > SINGS_THROUGHOUT);
  const melody = mainSource(plan, 'other');
  const lead = mainSource(plan, 'vocals');
  if (singers.length > 1 && lead !== undefined)
    return [
      entry(
        say,
        [
          ['More than one song has vocals most of the time'],
          ['Several songs are full of vocals'],
          ['The voices of several songs could disturb each other'],
        ],
        facts.every((section) => section.singers.length < 2)
          ? [['Only one voice is heard at a time'], ['No section has two voices'], ['The voices never sound together']]
          : [
              ['Where two voices meet, the quieter one sings in the pauses of the other'],
              ['The softer voice gives way whenever the other one sings'],
              ['One voice leads, and the other fills its pauses'],
            ],
      ),
    ];
  if (lead !== undefined || melody === undefined) return [];
  const name = quoteName(songs, melody);
  return [
    entry(
      say,
      heard.every((song) => contentOf(song) === 'instrumental')
        ? [['All songs are instrumental'], ['Nobody sings in these songs'], ['There is no voice in any of the songs']]
        : [['No voice is used'], ['The mashup has no vocals'], ['Nobody sings in the mashup']],
      [
        [`The instruments of ${name} lead instead`],
        [`The instruments of ${name} take the lead`],
        [`The lead is with the instruments of ${name}`],
      ],
    ),
  ];
}

function scoreProblem(facts: readonly SectionFacts[], { scores, say }: ProblemContext): Problem[] {
  const worst = scores.toSorted((a, b) => a.score - b.score)[0];
  if (!worst || worst.score >= BAD_SCORE) return [];
  const isShared = facts.some(
    ({ layers }) => new Set(layers.filter(({ stem }) => stem === 'other').map(({ songId }) => songId)).size > 1,
  );
  const score = Math.round(worst.score);
  return [
    entry(
      say,
      [
        [`A pair of songs fits badly (${score} of 100)`],
        [`Two of the songs score only ${score} of 100 together`],
        [`With ${score} of 100, a pair of these songs is an unlikely one`],
      ],
      isShared
        ? [
            ['Whether their notes go together was measured on the finished sound'],
            ['The finished sound was measured for notes that clash'],
            ['What came out was checked for clashes of notes'],
          ]
        : [
            ['Their harmonies never play at the same time'],
            ['No section has the instruments of both'],
            ['The instruments of one never meet those of the other'],
          ],
    ),
  ];
}

/** What keeps a mashup of songs that fit well from being even. */
function noProblem(facts: readonly SectionFacts[], { say }: ProblemContext): Problem {
  const energies = facts.map(({ energy }) => Math.round(energy * 100));
  const [low, high] = [Math.min(...energies), Math.max(...energies)];
  const filters = facts.some(({ layers }) => effectsIn(layers, ['lowpass_sweep', 'highpass_sweep']).length > 0);
  const rests = facts.some(({ hasDrums }) => !hasDrums) && facts.some(({ hasDrums }) => hasDrums);
  const means = joinWords([
    ...(filters ? ['filters'] : []),
    ...(rests ? ['sections without drums'] : []),
    'the choice of layers',
  ]);
  return entry(
    say,
    [
      ['The songs fit so well that the mashup could sound uniform'],
      ['Nothing clashes, which could make the mashup monotonous'],
      ['Songs that agree this much can sound the same from start to end'],
    ],
    [
      [`Its energy goes from ${low} to ${high} %, by ${means}`],
      [`With ${means}, sections have between ${low} and ${high} % of energy`],
      [`The energy varies between ${low} and ${high} %, thanks to ${means}`],
    ],
  );
}
