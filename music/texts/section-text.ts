/** The description of a section: who sings, who plays, what is missing, what is new. Made of what its layers are, and of nothing else. */
import type { Plan, Stem } from '../../schema.ts';
import { shortenText } from '../plan/text.ts';
import { STEM_NAMES } from '../theory/stem-texts.ts';
import { describeEffect } from './effect-texts.ts';
import { effectsIn, type SectionFacts } from './facts.ts';
import { bpmText, capitalized, joinWords, nameOfLayer, quoteName, type NamedSong } from './words.ts';
import type { Say } from './wording.ts';

type Context = { plan: Plan; songs: readonly NamedSong[]; say: Say; hasDrumsSomewhere: boolean };

const MAX_LENGTH = 400;
/** Sentences after the first. */
const MAX_MORE = 3;
/** A section this much louder or quieter than the one before is said to be. */
const NOTABLE_DB = 3;
/** Stems that are named, in this order. */
const BED: readonly Stem[] = ['drums', 'bass', 'other'];
/** Effects that listeners hear as an event. */
const EVENTS = [
  'lowpass_sweep',
  'highpass_sweep',
  'riser',
  'echo_out',
  'stutter',
  'reverse',
  'fade_in',
  'fade_out',
] as const;

/** Returns the description of each section: a label, a colon, and one to four sentences. */
export function describeSections(
  facts: readonly SectionFacts[],
  context: Omit<Context, 'hasDrumsSomewhere'>,
): string[] {
  const whole = { ...context, hasDrumsSomewhere: facts.some(({ hasDrums }) => hasDrums) };
  return facts.map((section, turn) => {
    const sentences = [mainSentence(section, whole, turn), ...moreSentences(section, whole, turn).slice(0, MAX_MORE)];
    let text = `${section.name}: ${sentences[0]}`;
    for (const sentence of sentences.slice(1)) if (text.length + sentence.length < MAX_LENGTH) text += ` ${sentence}`;
    return shortenText(text, MAX_LENGTH);
  });
}

/** `its own instruments and the drums and bass of "B"`. `own`: the song that is the subject of the sentence. */
function bedText({ layers }: SectionFacts, songs: readonly NamedSong[], own?: string): string {
  const bed = layers.filter(({ stem }) => BED.includes(stem));
  // Songs that give the same stems are named together.
  const givers = new Map<string, string[]>();
  const ids = [...new Set(bed.map((layer) => layer.songId))].toSorted((a, b) => Number(b === own) - Number(a === own));
  for (const songId of ids) {
    const stems = BED.filter((stem) => bed.some((layer) => layer.songId === songId && layer.stem === stem));
    const names = joinWords(stems.map((stem) => STEM_NAMES[stem]));
    const text = songId === own ? `its own ${names}` : `the ${names} of`;
    givers.set(text, [...(givers.get(text) ?? []), ...(songId === own ? [] : [quoteName(songs, songId)])]);
  }
  return joinWords([...givers].map(([text, names]) => (names.length === 0 ? text : `${text} ${joinWords(names)}`)));
}

function mainSentence(section: SectionFacts, { songs, say }: Context, turn: number): string {
  const [singer] = section.singers;
  const bed = bedText(section, songs, singer);
  if (singer === undefined)
    return bed === ''
      ? say([['Nothing plays.'], ['It is silent.'], ['This section is silent.']])
      : say(
          [
            [`There are no vocals, only ${bed}.`, `Only ${bed}, without vocals.`],
            [`An instrumental section with ${bed}.`, `It is instrumental, with ${bed}.`],
            [`No vocals here, just ${bed}.`, `Nobody sings; ${bed} can be heard.`],
          ],
          turn,
        );
  const name = quoteName(songs, singer);
  if (bed === '')
    return say(
      [
        [`${name} sings without accompaniment.`, `There is no accompaniment to the vocals of ${name}.`],
        [`The vocals of ${name} are unaccompanied.`, `${name} sings unaccompanied.`],
        [`No instruments accompany the vocals of ${name}.`, `${name} sings with no instruments.`],
      ],
      turn,
    );
  return say(
    [
      [`${name} sings over ${bed}.`, `${name} sings, together with ${bed}.`],
      [`The vocals of ${name} are on top, with ${bed} underneath.`, `${name} has the vocals, accompanied by ${bed}.`],
      [`The voice of ${name} is joined by ${bed}.`, `${name} adds the vocals to ${bed}.`],
    ],
    turn,
  );
}

/** The other sentences, the most important ones first. */
function moreSentences(section: SectionFacts, context: Context, turn: number): string[] {
  return [
    ...secondVoice(section, context),
    ...missingDrums(section, context, turn),
    ...ownTempo(section, context),
    ...freeSongs(section, context),
    ...events(section, context, turn),
    ...loudness(section, context, turn),
  ];
}

function secondVoice({ singers }: SectionFacts, { songs, say }: Context): string[] {
  if (singers.length < 2) return [];
  const names = joinWords(singers.slice(1).map((id) => quoteName(songs, id)));
  return [
    say([
      [`${names} can be heard singing as well.`],
      [`There are also vocals of ${names}.`],
      [`Further vocals come from ${names}.`],
    ]),
  ];
}

function missingDrums({ hasDrums }: SectionFacts, { hasDrumsSomewhere, say }: Context, turn: number): string[] {
  if (hasDrums || !hasDrumsSomewhere) return [];
  return [
    say(
      [
        ['The drums are silent.', 'There are no drums.'],
        ['It has no drums.', 'No drums play.'],
        ['It plays without drums.', 'Drums are left out.'],
      ],
      turn,
    ),
  ];
}

function ownTempo({ bpm }: SectionFacts, { plan, say }: Context): string[] {
  if (bpmText(bpm) === bpmText(plan.masterplan.global.targetBPM)) return [];
  const tempo = bpmText(bpm);
  return [
    say([
      [`The tempo here is ${tempo}.`],
      [`It has a tempo of its own, ${tempo}.`],
      [`This section plays at ${tempo}.`],
    ]),
  ];
}

function freeSongs({ free }: SectionFacts, { songs, say }: Context): string[] {
  if (free.length === 0) return [];
  const names = joinWords(free.map((id) => quoteName(songs, id)));
  return [
    say([
      [`At the original speed, not on the beat: ${names}.`],
      [`${names} ${free.length === 1 ? 'is' : 'are'} not tied to the beat.`],
      [`The original timing of ${names} is kept.`],
    ]),
  ];
}

function events({ layers, bars }: SectionFacts, { songs, say }: Context, turn: number): string[] {
  const [found] = effectsIn(layers, EVENTS);
  if (!found) return [];
  const what = describeEffect(found.effect, bars);
  const name = nameOfLayer(found.layer, songs);
  return [
    say(
      [
        [`On the ${name}: ${what}.`],
        [`An effect on the ${name}: ${what}.`],
        [`${capitalized(name)} with an effect: ${what}.`],
      ],
      turn,
    ),
  ];
}

function loudness({ louderDb, layers }: SectionFacts, { say }: Context, turn: number): string[] {
  if (Math.abs(louderDb) < NOTABLE_DB || layers.length === 0) return [];
  return louderDb > 0
    ? [
        say(
          [
            ['It is louder than the section before.', 'The level goes up.'],
            ['It is clearly louder than before.', 'The volume rises.'],
            ['It gets louder.', 'Its level is higher than before.'],
          ],
          turn,
        ),
      ]
    : [
        say(
          [
            ['It is quieter than the section before.', 'The level comes down.'],
            ['It is clearly quieter than before.', 'The volume falls.'],
            ['It gets quieter.', 'Its level is lower than before.'],
          ],
          turn,
        ),
      ];
}

/** Returns the reason of each layer of a section. */
export function describeReasons({ layers, singers, label }: SectionFacts, say: Say, turn: number): Map<string, string> {
  const reasons = new Map<string, string>();
  for (const layer of layers) {
    const { songId, stem } = layer;
    const first = layers.filter((other) => other.stem === stem).toSorted((a, b) => b.volume_db - a.volume_db)[0];
    const wordings = layer === first ? leadingReason(stem, songId, singers, label) : SECOND_REASONS[stem];
    reasons.set(`${songId} ${stem}`, say(wordings, turn));
  }
  return reasons;
}

type Reasons = Parameters<Say>[0];

const SECOND_REASONS: Record<Stem, Reasons> = {
  vocals: [['A second voice'], ['Adds to the vocals'], ['Sings with the first voice']],
  drums: [['A second rhythm beside the first'], ['More rhythm'], ['Adds to the beat']],
  bass: [
    ['A second bass, without its lowest notes'],
    ['Bass above the lowest notes of the first'],
    ['Leaves the lowest notes to the first bass'],
  ],
  other: [['More harmony'], ['More instruments'], ['Adds to the harmony']],
};

function leadingReason(stem: Stem, songId: string, singers: readonly string[], label: SectionFacts['label']): Reasons {
  switch (stem) {
    case 'vocals':
      return [
        ['Leads the section', 'The lead vocals'],
        ['The main vocals', 'The main voice'],
        ['The voice in the foreground', 'The leading voice'],
      ];
    case 'drums':
      if (label === 'Intro') return [['Sets the tempo'], ['Shows the tempo from the start'], ['A beat to begin with']];
      if (label === 'Outro')
        return [['Keeps the beat to the end'], ['Ends with a beat'], ['A beat until the last bar']];
      return [
        ['Carries the beat', 'Keeps the beat going'],
        ['The beat of the section', 'Drives the section'],
        ['Holds the tempo', 'Keeps time'],
      ];
    case 'bass':
      return [['Plays the lowest notes'], ['The bass line of the section'], ['Gives the low end']];
    case 'other':
      if (singers.includes(songId))
        return [
          ["The harmony of the voice's own song"],
          ['What the voice was recorded with'],
          ['The chords that belong to the voice'],
        ];
      return singers.length > 0
        ? [['Harmony under the voice'], ['Chords of another song for the voice'], ['Accompanies the voice']]
        : [['Gives the harmony'], ['Plays in place of vocals'], ['The instruments of the section']];
  }
}
