/** Title, vision and problems of a rule-based plan, from what the analysis knows. */
import type { AnalyzedSong, PairScore } from '../../schema.ts';
import { songGrid } from '../theory/bars.ts';
import { camelotCode, keyShift, parseKey, type Key } from '../theory/keys.ts';
import { textOf } from '../plan/parse-plan.ts';
import type { Roles } from './roles.ts';
import type { Tempi } from './tempo.ts';
import { COMFORTABLE_TEMPO_CHANGE, canMeet, matchTempo, tempoChange } from '../theory/tempo.ts';

const nameOf = (song: AnalyzedSong): string => textOf(song.name, 60) || 'Untitled';
/** A name without what is in brackets: `Halo (Live)` is `Halo`. */
const shortName = (song: AnalyzedSong): string =>
  nameOf(song)
    .replace(/\s*[([].*$/, '')
    .trim() || nameOf(song);

const pick = <T>(list: readonly [T, ...T[]], random: () => number): T =>
  list[Math.floor(random() * list.length)] ?? list[0];

/** A title from the songs' names: half of each, or one against the other. */
export function titleOf({ lead, groove, colour }: Roles, random: () => number): string {
  const a = shortName(lead);
  const b = shortName(groove);
  const head = a.split(' ');
  const tail = b.split(' ');
  const blend = `${head.slice(0, Math.ceil(head.length / 2)).join(' ')} ${tail.slice(Math.floor(tail.length / 2)).join(' ')}`;
  // Two names of one word would only stand side by side.
  const fourth = head.length + tail.length > 2 ? blend : `${b} x ${a}`;
  const title = pick([`${a} x ${b}`, `${a} over ${b}`, `${a} Meets ${b}`, fourth], random);
  return textOf(colour && title !== blend ? `${title} x ${shortName(colour)}` : title, 120);
}

export type Targets = Tempi & { key: Key | null; keyName: string };

export function visionOf(roles: Roles, { home, away, key, keyName }: Targets, random: () => number): string {
  const { lead, groove, colour, sings, apart } = roles;
  const what = sings ? 'The voice' : 'The melody';
  const opening = pick(
    [
      `${what} of "${nameOf(lead)}" finds a new home on the drums and bass of "${nameOf(groove)}".`,
      `"${nameOf(groove)}" lays the floor and "${nameOf(lead)}" ${sings ? 'sings' : 'plays'} on it as if it had been written there.`,
    ],
    random,
  );
  const keyWords = `${keyName}${key ? ` (${camelotCode(key)})` : ''}`;
  if (apart)
    return (
      `"${nameOf(groove)}" and "${nameOf(lead)}" live in different tempi, and both keep theirs: ${home} and ${away} bpm, in ${keyWords}. ` +
      `They meet where the beat stops: ${sings ? 'the voice' : 'the melody'} of one floats over the chords of the other, and each ` +
      'meeting opens the door to the next beat.'
    );
  const meeting = `They meet at ${home} bpm in ${keyWords}, each moved as little as possible.`;
  const arc = colour
    ? `"${nameOf(colour)}" colours the harmony and takes over in the break, before everything comes together at the peak.`
    : 'A filtered beat opens, the first drop joins the two, a break without drums makes room, and the peak brings them back together.';
  return `${opening} ${meeting} ${arc}`;
}

/** What stands in the way of this mashup, and what the plan does about it. */
export function problemsOf(
  songs: readonly AnalyzedSong[],
  roles: Roles,
  targets: Targets,
  meter: number,
  scores: readonly PairScore[],
): { problem: string; solution: string }[] {
  const list: { problem: string; solution: string }[] = [];
  const add = (problem: string, solution: string): void => void list.push({ problem, solution });
  for (const song of songs) {
    const grid = songGrid(song.analysis);
    const name = `"${nameOf(song)}"`;
    const at = canMeet(grid.bpm, targets.home) ? targets.home : targets.away;
    const { multiple } = matchTempo(grid.bpm, at);
    const change = tempoChange(grid.bpm, at);
    const reading = multiple === 1 ? '' : `, read in ${multiple === 2 ? 'double' : 'half'} time,`;
    if (at !== targets.home || !canMeet(grid.bpm, at))
      add(
        `${name} has ${grid.bpm.toFixed(1)} bpm, too far from the mashup's ${targets.home} at any octave`,
        'It is not forced: it plays at its own speed where nobody drums, and the tempo changes for the sections that are its own',
      );
    else if (change > COMFORTABLE_TEMPO_CHANGE || multiple !== 1)
      add(
        `${name} has ${grid.bpm.toFixed(1)} bpm against the mashup's ${at}`,
        `It is stretched along its beats${reading} by ${Math.round(change * 100)} %`,
      );
    const key = parseKey(song.analysis.harmonic.key);
    const shift = key && targets.key ? keyShift(key, targets.key) : 0;
    if (!key) add(`The key of ${name} could not be told`, 'It keeps its pitch, and its harmony stays low in the mix');
    else if (shift !== 0)
      add(
        `${name} is in ${song.analysis.harmonic.key}, the mashup in ${targets.keyName}`,
        `Its pitched stems are shifted by ${shift > 0 ? '+' : ''}${shift} semitone${Math.abs(shift) === 1 ? '' : 's'}; drums stay as they are`,
      );
    if (grid.meter !== meter)
      add(
        `${name} counts ${grid.meter} beats to the bar, the mashup ${meter}`,
        'Beats stay aligned, and sections last until both bar lines meet again where the length allows it',
      );
    if (song.analysis.rhythmic.beat_confidence < 0.5)
      add(
        `The beat of ${name} is hard to follow`,
        song === roles.groove ? 'Its drums stand alone, so that nothing rubs against them' : 'Its drums are left out',
      );
  }
  const singers = songs.filter((song) => song.analysis.vocal.vocal_presence > 0.5);
  if (singers.length > 1) add('More than one song sings throughout', 'Only one voice is heard at a time');
  if (!roles.sings) add('No song has a clear voice', `The melody of "${nameOf(roles.lead)}" leads instead`);
  const worst = scores.toSorted((a, b) => a.score - b.score)[0];
  if (worst && worst.score < 45)
    add(
      `A pair of songs fits badly (${Math.round(worst.score)} of 100)`,
      'They share drums, bass and voice rather than harmony',
    );
  if (list.length === 0)
    add(
      'The songs fit so well that the mashup could become one even sheet',
      'Filters, a break and a second drop give it an arc',
    );
  return list;
}
