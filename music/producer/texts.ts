/** Texts of a rule-based plan: title, vision, problems and solutions. */
import type { AnalyzedSong, PairScore } from '../../schema.ts';
import { songBars } from '../theory/bars.ts';
import { contentOf, hasBeat } from '../theory/content.ts';
import { displayKey, displayKeyWithCamelot, keyShift, parseKey, type Key } from '../theory/keys.ts';
import { clock } from '../plan/clock.ts';
import { cleanText } from '../plan/text.ts';
import type { Roles } from './roles.ts';
import type { Tempi } from './tempo.ts';
import { COMFORTABLE_TEMPO_CHANGE, canMatchTempo, matchTempo, tempoChange } from '../theory/tempo.ts';

const nameOf = (song: AnalyzedSong): string => cleanText(song.name, 60) || 'Untitled';
/** Returns a name without brackets: `Halo` for `Halo (Live)`. */
const shortName = (song: AnalyzedSong): string =>
  nameOf(song)
    .replace(/\s*[([].*$/, '')
    .trim() || nameOf(song);

const pick = <T>(list: readonly [T, ...T[]], random: () => number): T =>
  list[Math.floor(random() * list.length)] ?? list[0];

/** Returns a title of the songs' names: both names, or half of each. */
export function titleOf({ lead, groove, colour }: Roles, random: () => number): string {
  const a = shortName(lead);
  const b = shortName(groove);
  const head = a.split(' ');
  const tail = b.split(' ');
  const blend = `${head.slice(0, Math.ceil(head.length / 2)).join(' ')} ${tail.slice(Math.floor(tail.length / 2)).join(' ')}`;
  // Half of a name of one word is the whole name: the blend would be the two names in a row. Of names with a common word, the blend
  // can be one of the names, or has the word twice.
  const isBlend = head.length + tail.length > 2 && !head.some((word) => tail.includes(word));
  const fourth = isBlend ? blend : `${b} x ${a}`;
  const title = pick([`${a} x ${b}`, `${a} over ${b}`, `${a} Meets ${b}`, fourth], random);
  return cleanText(colour && title !== blend ? `${title} x ${shortName(colour)}` : title, 120);
}

/** Tempi and key of the mashup. `keyName` is 'C major' if no key is known. */
export type Targets = Tempi & { key: Key | null; keyName: string };

/** Returns the idea of the mashup in two or three sentences. */
export function visionOf(roles: Roles, { main, second, key, keyName }: Targets, random: () => number): string {
  const { lead, groove, colour, sings, twoTempi } = roles;
  const what = sings ? 'The voice' : 'The melody';
  const opening = pick(
    [
      `${what} of "${nameOf(lead)}" finds a new home on the drums and bass of "${nameOf(groove)}".`,
      `"${nameOf(groove)}" gives drums and bass, and "${nameOf(lead)}" ${sings ? 'sings' : 'plays'} over them.`,
    ],
    random,
  );
  const keyText = key ? displayKeyWithCamelot(key) : keyName;
  if (roles.withoutGroove)
    return hasBeat(lead.analysis) && hasBeat(groove.analysis)
      ? `"${nameOf(lead)}" and "${nameOf(groove)}" are voices alone. They take turns, in ${keyText}, and no beat hurries them.`
      : `Neither "${nameOf(lead)}" nor "${nameOf(groove)}" gives a beat: they flow into each other in free time, in ${keyText}.`;
  if (!hasBeat(lead.analysis))
    return `"${nameOf(lead)}" has no beat: it plays free over "${nameOf(groove)}", at ${main} bpm in ${keyText}. The groove stops in the break and leaves it alone.`;
  if (twoTempi)
    return (
      `"${nameOf(groove)}" and "${nameOf(lead)}" live in different tempi, and both keep theirs: ${main} and ${second} bpm, in ${keyText}. ` +
      `They meet where the beat stops: ${sings ? 'the voice' : 'the melody'} of one floats over the chords of the other, and each ` +
      'meeting opens the door to the next beat.'
    );
  const meeting = `They meet at ${main} bpm in ${keyText}, each moved as little as possible.`;
  const arc = colour
    ? `"${nameOf(colour)}" colours the harmony and takes over in the break, before everything comes together at the peak.`
    : 'A filtered beat opens, the first drop joins the two, a break without drums makes room, and the peak brings them back together.';
  return `${opening} ${meeting} ${arc}`;
}

type Problem = { problem: string; solution: string };

/** Lists the conflicts between the songs and how the plan solves them. At least one entry. */
export function problemsOf(
  songs: readonly AnalyzedSong[],
  roles: Roles,
  targets: Targets,
  meter: number,
  scores: readonly PairScore[],
): Problem[] {
  const problems = songs.flatMap((song) => [
    ...partProblem(song),
    ...(hasBeat(song.analysis)
      ? [...tempoProblem(song, targets), ...beatProblems(song, roles, meter)]
      : freeProblem(song, roles)),
    ...keyProblem(song, targets),
    ...contentProblem(song, roles),
  ]);
  const singers = songs.filter((song) => song.analysis.vocal.vocal_presence > 0.5);
  if (singers.length > 1)
    problems.push({
      problem: 'More than one song sings throughout',
      solution: 'Only one voice is heard at a time',
    });
  if (songs.every((song) => contentOf(song) === 'instrumental'))
    problems.push({ problem: 'All songs are instrumental', solution: `The melody of "${nameOf(roles.lead)}" leads` });
  else if (!roles.sings)
    problems.push({
      problem: 'No song has a clear voice',
      solution: `The melody of "${nameOf(roles.lead)}" leads instead`,
    });
  const worst = scores.toSorted((a, b) => a.score - b.score)[0];
  if (worst && worst.score < 45)
    problems.push({
      problem: `A pair of songs fits badly (${Math.round(worst.score)} of 100)`,
      solution: 'They share drums, bass and voice rather than harmony',
    });
  if (problems.length === 0)
    problems.push({
      problem: 'The songs fit so well that the mashup could become one even sheet',
      solution: 'Filters, a break and a second drop give it an arc',
    });
  return problems;
}

/** A song whose tempo or meter changes is reduced to one part. */
function partProblem(song: AnalyzedSong): Problem[] {
  const part = song.analysis.rhythmic.tempo_parts?.[0];
  if (!part) return [];
  const [from, to] = [clock(part.start_sec), clock(part.end_sec)];
  return [
    {
      problem: `"${nameOf(song)}" does not keep one tempo and meter`,
      solution: `Only its part from ${from} to ${to} is used, which has ${part.bpm.toFixed(1)} bpm`,
    },
  ];
}

function freeProblem(song: AnalyzedSong, { groove, withoutGroove }: Roles): Problem[] {
  const solution = withoutGroove
    ? 'No song gives drums here: all play in free time'
    : `It plays free over "${nameOf(groove)}", and gives no drums and no bass`;
  return [{ problem: `"${nameOf(song)}" has no beat`, solution }];
}

function contentProblem(song: AnalyzedSong, { groove, withoutGroove }: Roles): Problem[] {
  if (contentOf(song) !== 'acapella') return [];
  const solution = withoutGroove
    ? 'No song has music under it: the voices take turns'
    : `It sings over "${nameOf(groove)}", and no other voice sounds with it`;
  return [{ problem: `"${nameOf(song)}" has voices alone`, solution }];
}

function tempoProblem(song: AnalyzedSong, { main, second }: Targets): Problem[] {
  const { bpm } = songBars(song.analysis);
  const name = `"${nameOf(song)}"`;
  const target = canMatchTempo(bpm, main) ? main : second;
  if (target !== main || !canMatchTempo(bpm, target))
    return [
      {
        problem: `${name} has ${bpm.toFixed(1)} bpm, too far from the mashup's ${main} at any octave`,
        solution:
          'It is not forced: it plays at its own speed where nobody drums, and the tempo changes for the sections that are its own',
      },
    ];
  const { multiple } = matchTempo(bpm, target);
  const change = tempoChange(bpm, target);
  if (change <= COMFORTABLE_TEMPO_CHANGE && multiple === 1) return [];
  const reading = multiple === 1 ? '' : `, read in ${multiple === 2 ? 'double' : 'half'} time,`;
  return [
    {
      problem: `${name} has ${bpm.toFixed(1)} bpm against the mashup's ${target}`,
      solution: `It is stretched along its beats${reading} by ${Math.round(change * 100)} %`,
    },
  ];
}

function keyProblem(song: AnalyzedSong, targets: Targets): Problem[] {
  const name = `"${nameOf(song)}"`;
  const key = parseKey(song.analysis.harmonic.key);
  if (!key)
    return [
      {
        problem: `The key of ${name} could not be told`,
        solution: 'It keeps its pitch, and its harmony stays low in the mix',
      },
    ];
  const shift = targets.key ? keyShift(key, targets.key) : 0;
  if (shift === 0) return [];
  const semitones = `${shift > 0 ? '+' : ''}${shift} semitone${Math.abs(shift) === 1 ? '' : 's'}`;
  return [
    {
      problem: `${name} is in ${displayKey(key)}, the mashup in ${displayKey(targets.keyName)}`,
      solution: `Its pitched stems are shifted by ${semitones}; drums stay as they are`,
    },
  ];
}

function beatProblems(song: AnalyzedSong, roles: Roles, meter: number): Problem[] {
  const name = `"${nameOf(song)}"`;
  const { meter: own, meterKnown } = songBars(song.analysis);
  const problems: Problem[] = [];
  if (!meterKnown && song.analysis.rhythmic.has_beat !== false)
    problems.push({
      problem: `The meter of ${name} is not known`,
      solution: 'Bars of four beats are assumed, so its bars may start elsewhere than those of the mashup',
    });
  if (meterKnown && own !== meter)
    problems.push({
      problem: `${name} counts ${own} beats to the bar, the mashup ${meter}`,
      solution: 'Beats stay aligned, and sections last until both bar lines meet again where the length allows it',
    });
  if (song.analysis.rhythmic.beat_confidence < 0.5)
    problems.push({
      problem: `The beat of ${name} is hard to follow`,
      solution:
        song === roles.groove ? 'Its drums stand alone, so that nothing rubs against them' : 'Its drums are left out',
    });
  return problems;
}
