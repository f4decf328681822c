/** Why the checks of plans refuse an edited plan, in words for its user. */
import { quoteSong } from '../revision/plan-edits.ts';
import { sectionName, type EditContext, type EditState } from './edit-state.ts';

/** Faults of `music/plan/` as consequences of an edit. `$s`: the section; other parameters are those of the pattern. */
const CONSEQUENCES: readonly [RegExp, string][] = [
  [/^Section \d+ has \d+ basses at once/, '$s would have two basses at once.'],
  [
    /^Section \d+ has two lead vocals at once/,
    '$s would have two voices at once: one of them has to be 6 dB softer than the other.',
  ],
  [/^Section \d+ (has no layers|is silent)/, '$s would be silent.'],
  [/^The song "(.+?)" is never heard/, '"$1" would not be heard any more.'],
  [/^The energy is flat/, 'All sections would have the same energy.'],
  [
    /^The mashup lasts ([\d.]+) s; it must last at least ([\d.]+) s/,
    'The mashup would last $1 s, and $2 s is the least.',
  ],
  [/^The mashup lasts ([\d.]+) s; it may last at most ([\d.]+) s/, 'The mashup would last $1 s, and $2 s is the most.'],
  [/^Section \d+ needs [\d.]+ s of "(.+?)"/, '$s would be longer than "$1".'],
  [/^Section \d+: the (\w+) of "(.+?)" cannot be free/, '$s cannot have the $1 of "$2": it plays without a beat.'],
  [
    /^Section \d+: "(.+?)" is free over the drums of "(.+?)"/,
    '$s would have "$1" without a beat over the drums of "$2".',
  ],
  [
    /^Section \d+: at [\d.]+ bpm "(.+?)" must be stretched by (\d+ %)/,
    '$s would stretch "$1" by $2, which everyone hears.',
  ],
  [/^In (.+?) a song must be shifted by (\d+) semitones/, 'A song would be shifted by $2 semitones.'],
  [/^Section \d+: "(.+?)" has no (\w+) to use/, '"$1" has no $2.'],
];

/** Returns a fault or a repair of an edited plan as a sentence with the names of sections and songs. */
export function explainFault(fault: string, { sections }: EditState, { songs }: EditContext): string {
  const position = Number(/^Section (\d+)/.exec(fault)?.[1] ?? 0) - 1;
  const subject = sections[position] ? sectionName(sections[position]) : 'A section';
  const known = CONSEQUENCES.find(([pattern]) => pattern.test(fault));
  const text = known
    ? fault.replace(new RegExp(`${known[0].source}.*$`, 's'), known[1]).replace('$s', () => subject)
    : fault.replace(/^Section \d+/, () => subject);
  return songs.reduce((said, { song_id }) => said.replaceAll(`"${song_id}"`, () => quoteSong(songs, song_id)), text);
}
