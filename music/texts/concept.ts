/** The idea of a mashup in a few sentences: who sings, who plays, tempo and key, and the way from the start to the end. */
import type { Plan, Stem } from '../../schema.ts';
import { displayKeyWithCamelot } from '../theory/keys.ts';
import { STEM_NAMES } from '../theory/stem-texts.ts';
import { boundTempi, mainSource, type SectionFacts } from './facts.ts';
import { clock } from '../plan/clock.ts';
import { bpmText, joinWords, quoteName, type NamedSong } from './words.ts';
import type { Say } from './wording.ts';

type Context = { plan: Plan; songs: readonly NamedSong[]; say: Say };

/** Returns the concept. `facts` are those of the sections of the plan. */
export function describeConcept(facts: readonly SectionFacts[], context: Context): string {
  return [...rolesText(context), ...otherSongs(context), tempoText(context), ...arcText(facts, context)].join(' ');
}

/** Songs that give drums, bass and harmony for the longest time, with what they give. The song that sings comes first. */
function bedSources({ plan }: Context, singer?: string): Map<string, Stem[]> {
  const sources = new Map<string, Stem[]>();
  for (const stem of ['drums', 'bass', 'other'] as const) {
    const song = mainSource(plan, stem);
    if (song !== undefined) sources.set(song, [...(sources.get(song) ?? []), stem]);
  }
  return new Map([...sources].toSorted(([a], [b]) => Number(b === singer) - Number(a === singer)));
}

/** `own`: the song that is the subject of the sentence. */
const givenText = (sources: ReadonlyMap<string, Stem[]>, songs: readonly NamedSong[], own?: string): string =>
  joinWords(
    [...sources].map(([id, stems]) => {
      const names = joinWords(stems.map((stem) => STEM_NAMES[stem]));
      return id === own ? `its own ${names}` : `the ${names} of ${quoteName(songs, id)}`;
    }),
  );

function rolesText(context: Context): string[] {
  const { plan, songs, say } = context;
  const singer = mainSource(plan, 'vocals');
  const sources = bedSources(context, singer);
  const given = givenText(sources, songs);
  if (singer === undefined)
    return given === ''
      ? []
      : [
          say([
            [`An instrumental mashup, made of ${given}.`],
            [`It has no vocals and consists of ${given}.`],
            [`All of it is instrumental; it combines ${given}.`],
          ]),
        ];
  const name = quoteName(songs, singer);
  if (given === '')
    return [
      say([
        [`${name} sings without accompaniment.`],
        [`The vocals of ${name} are unaccompanied.`],
        [`No instruments accompany the vocals of ${name}.`],
      ]),
    ];
  const own = givenText(sources, songs, singer);
  return [
    say([
      [`${name} sings, mostly over ${own}.`, `${name} sings and is mostly accompanied by ${own}.`],
      [
        `The vocals of ${name} are set over ${given}.`,
        `The vocals come from ${name}, most of the accompaniment from ${given}.`,
      ],
      [
        `This mashup combines the vocals of ${name} with ${given}.`,
        `The main sources are the vocals of ${name} and, below them, ${given}.`,
      ],
    ]),
  ];
}

/** Songs that are heard and that the roles do not name. */
function otherSongs(context: Context): string[] {
  const { plan, songs, say } = context;
  const singer = mainSource(plan, 'vocals');
  const named = new Set([singer, ...bedSources(context, singer).keys()]);
  const heard = new Set(plan.masterplan.timeline.flatMap(({ layers }) => layers.map(({ songId }) => songId)));
  const others = [...heard].filter((id) => !named.has(id)).map((id) => quoteName(songs, id));
  if (others.length === 0) return [];
  const names = joinWords(others);
  return [
    say([
      [`${names} can be heard as well.`],
      [`It uses parts of ${names} as well.`],
      [`Other parts come from ${names}.`],
    ]),
  ];
}

function tempoText({ plan, songs, say }: Context): string {
  const { global, timeline } = plan.masterplan;
  const key = displayKeyWithCamelot(global.targetKey);
  const tempi = [
    ...new Set([global.targetBPM, ...timeline.map(({ tempo_bpm: bpm }) => bpm ?? global.targetBPM)].map(bpmText)),
  ];
  if (tempi.length > 1)
    return say([
      [`The tempo changes between ${joinWords(tempi)}; the key is ${key}.`],
      [`Its sections have ${joinWords(tempi)}, and its key is ${key}.`],
      [`It is in ${key}, with sections at ${joinWords(tempi)}.`],
    ]);
  if (!songs.some(({ song_id }) => boundTempi(plan, song_id).length > 0))
    return say([
      [`It follows no beat, and the key is ${key}.`],
      [`It is in free time and in ${key}.`],
      [`It has no fixed beat; its key is ${key}.`],
    ]);
  const tempo = tempi[0] ?? bpmText(global.targetBPM);
  return say([
    [`The tempo is ${tempo}, the key ${key}.`, `It has ${tempo} and is in ${key}.`],
    [`Tempo and key are ${tempo} and ${key}.`, `It plays at ${tempo}, in ${key}.`],
    [`It runs at ${tempo} in ${key}.`, `Its tempo is ${tempo}, and its key is ${key}.`],
  ]);
}

/** How often the drums stop and come back: runs of sections without drums between sections with drums. */
function countPauses(facts: readonly SectionFacts[]): number {
  const first = facts.findIndex(({ hasDrums }) => hasDrums);
  const last = facts.findLastIndex(({ hasDrums }) => hasDrums);
  return facts.filter(
    ({ hasDrums }, index) => index > first && index < last && !hasDrums && facts[index - 1]?.hasDrums === true,
  ).length;
}

const timesText = (count: number): string => ['', 'once', 'twice'][count] ?? `${count} times`;

function arcText(facts: readonly SectionFacts[], { say }: Context): string[] {
  if (facts.length < 3) return [];
  const peak = facts.find(({ label }) => label === 'Peak');
  const isHighest = peak !== undefined && facts.every(({ energy }) => energy <= peak.energy);
  const pauses = countPauses(facts);
  const times = timesText(pauses);
  const count = facts.length;
  if (!isHighest)
    return [
      say([[`There are ${count} sections.`], [`It is made of ${count} sections.`], [`It has ${count} sections.`]]),
    ];
  const at = clock(peak.startSec);
  return [
    say([
      [`It has ${count} sections, with the peak at ${at}${pauses > 0 ? `, and the drums pause ${times}` : ''}.`],
      [
        `The energy is highest at ${at}, in one of ${count} sections${pauses > 0 ? `, and the drums stop and return ${times}` : ''}.`,
      ],
      [
        `Of its ${count} sections, the one at ${at} has the most energy${pauses > 0 ? `; the drums are interrupted ${times}` : ''}.`,
      ],
    ]),
  ];
}
