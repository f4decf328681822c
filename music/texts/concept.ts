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

/** Songs that give drums, bass and harmony for the longest time, with what they give. */
function bedSources({ plan }: Context, without?: string): Map<string, Stem[]> {
  const sources = new Map<string, Stem[]>();
  for (const stem of ['drums', 'bass', 'other'] as const) {
    const song = mainSource(plan, stem);
    if (song === undefined || (song === without && stem === 'other')) continue;
    sources.set(song, [...(sources.get(song) ?? []), stem]);
  }
  return sources;
}

const givenText = (sources: ReadonlyMap<string, Stem[]>, songs: readonly NamedSong[]): string =>
  joinWords(
    [...sources].map(
      ([id, stems]) => `the ${joinWords(stems.map((stem) => STEM_NAMES[stem]))} of ${quoteName(songs, id)}`,
    ),
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
            [`A mashup without a voice, made of ${given}.`],
            [`Nobody sings: what is heard comes from ${given}.`],
            [`All instrumental, it puts together ${given}.`],
          ]),
        ];
  const name = quoteName(songs, singer);
  if (given === '')
    return [
      say([
        [`It is all about the voice of ${name}.`],
        [`${name} sings, and nothing is put under it.`],
        [`Little more than the singing of ${name} is used.`],
      ]),
    ];
  return [
    say([
      [`${name} sings, mostly over ${given}.`, `The voice of ${name} finds a new home on ${given}.`],
      [
        `Take the vocals of ${name} and lay them on ${given}.`,
        `${name} leads with its voice, while most of the rest is ${given}.`,
      ],
      [
        `What if ${name} had been recorded with ${given}?`,
        `Most of the time, ${given} and the singing of ${name} belong together here.`,
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
      [`Now and then ${names} joins in.`],
      [`A part is also played by ${names}.`],
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
      [`The tempo changes between ${joinWords(tempi)}, the key is ${key}.`],
      [`Sections have ${joinWords(tempi)}, and the key is ${key}.`],
      [`It is in ${key} and takes turns with ${joinWords(tempi)}.`],
    ]);
  if (!songs.some(({ song_id }) => boundTempi(plan, song_id).length > 0))
    return say([
      [`No beat is kept, and the key is ${key}.`],
      [`It flows in free time, in ${key}.`],
      [`Without a beat to follow, it stays in ${key}.`],
    ]);
  const tempo = tempi[0] ?? bpmText(global.targetBPM);
  return say([
    [`They meet at ${tempo} in ${key}.`, `The common ground is ${tempo} in ${key}.`],
    [`Tempo and key are ${tempo} and ${key}.`, `Everything moves at ${tempo}, in ${key}.`],
    [`${tempo} and ${key} hold it together.`, `All of it was brought to ${tempo} and ${key}.`],
  ]);
}

function arcText(facts: readonly SectionFacts[], { say }: Context): string[] {
  if (facts.length < 3) return [];
  const peak = facts.find(({ label }) => label === 'Peak');
  const pauses = facts.slice(1, -1).filter(({ hasDrums }) => !hasDrums).length;
  const hasBeat = facts.some(({ hasDrums }) => hasDrums);
  const at = peak && clock(peak.startSec);
  const rest = pauses === 1 ? 'once' : `${pauses} times`;
  const count = facts.length;
  const pause = hasBeat && pauses > 0;
  return [
    say([
      [`It has ${count} sections, with the peak at ${at}${pause ? `, and the drums rest ${rest}` : ''}.`],
      [
        `The highest energy comes at ${at}, in one of ${count} sections${pause ? `; ${pauses === 1 ? 'one has' : `${pauses} have`} no drums` : ''}.`,
      ],
      [
        `Of its ${count} sections, the one at ${at} is the summit${pause ? `, and between start and end the beat pauses ${rest}` : ''}.`,
      ],
    ]),
  ];
}
