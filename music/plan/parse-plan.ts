/** Parsing a plan of unknown origin: takes known members, repairs small faults, ignores everything else. */
import { Shift, type AnalyzedSong, type Plan, type PlanLimits } from '../../schema.ts';
import { isRecord, toList, toNumber } from '../loose-values.ts';
import { songBars } from '../theory/bars.ts';
import { displayKey, formatKey, parseKey } from '../theory/keys.ts';
import type { PlanFindings } from './findings.ts';
import { MAX_PROBLEMS, MAX_SECTIONS, MAX_TITLE_LENGTH } from './limits.ts';
import { parseSections } from './parse-sections.ts';
import { cleanText, creditsOf } from './text.ts';

/**
 * Parses a plan. The result has the right form; its music is not checked yet.
 * @returns undefined if the value is not an object or has no timeline
 */
export function parsePlan(
  raw: unknown,
  songs: readonly AnalyzedSong[],
  limits: PlanLimits,
  findings: PlanFindings,
): Plan | undefined {
  const { faults, repairs } = findings;
  if (!isRecord(raw)) {
    faults.push('The plan is not an object with `creative_vision` and `masterplan`.');
    return undefined;
  }
  const master = isRecord(raw['masterplan']) ? raw['masterplan'] : raw;
  const timeline = toList(master['timeline']);
  if (timeline.length === 0) {
    faults.push('The plan has no sections: `masterplan.timeline` must list them.');
    return undefined;
  }
  if (timeline.length > MAX_SECTIONS)
    faults.push(`The plan has ${timeline.length} sections; at most ${MAX_SECTIONS} are allowed.`);

  const title = cleanText(master['title'], MAX_TITLE_LENGTH);
  if (title === '') repairs.push('The plan had no title; the names of the songs were taken.');
  const vision = cleanText(raw['creative_vision'] ?? master['creative_vision'] ?? master['concept']);
  if (vision === '')
    faults.push('`creative_vision` is missing: say in two or three sentences what the mashup is about.');
  const credits = cleanText(master['artistCredits'], 300);
  const global = parseGlobal(master['global'] ?? master['global_settings'], songs, findings);
  return {
    creative_vision: vision,
    masterplan: {
      title: title || cleanText(songs.map((song) => song.name).join(' x '), MAX_TITLE_LENGTH) || 'Mashup',
      artistCredits: credits || creditsOf(songs),
      global,
      timeline: parseSections(timeline.slice(0, MAX_SECTIONS), global.targetBPM, { songs, limits, findings }),
      problems_and_solutions: toList(master['problems_and_solutions'])
        .filter(isRecord)
        .map((each) => ({ problem: cleanText(each['problem'], 400), solution: cleanText(each['solution'], 400) }))
        .filter((each) => each.problem !== '')
        .slice(0, MAX_PROBLEMS),
    },
  };
}

function parseGlobal(
  raw: unknown,
  songs: readonly AnalyzedSong[],
  { faults, repairs }: PlanFindings,
): Plan['masterplan']['global'] {
  const global = isRecord(raw) ? raw : {};
  let targetBPM = toNumber(global['targetBPM'] ?? global['target_bpm'] ?? global['bpm']);
  if (targetBPM === undefined || targetBPM < 40 || targetBPM > 240) {
    faults.push('`global.targetBPM` must be a tempo between 40 and 240 beats per minute.');
    targetBPM = Math.min(240, Math.max(40, songs[0]?.analysis.rhythmic.bpm ?? 120));
  }
  const wanted = cleanText(global['targetKey'] ?? global['target_key'] ?? global['key'], 40);
  const key = parseKey(wanted);
  const fallback = songs.map((song) => parseKey(song.analysis.harmonic.key)).find((each) => each !== null);
  if (!key) repairs.push(`The key "${wanted}" is no key; ${fallback ? displayKey(fallback) : 'C major'} was taken.`);
  return {
    targetBPM,
    targetKey: formatKey(key ?? fallback ?? { tonic: 0, mode: 'major' }),
    timeSignature: parseTimeSignature(global['timeSignature'] ?? global['time_signature'], songs, repairs),
    ...parseShifts(global['shifts'], songs),
  };
}

/** Parses the shifts of the songs. Other songs and values that are no shifts are left out. */
function parseShifts(raw: unknown, songs: readonly AnalyzedSong[]): { shifts?: Record<string, number> } {
  if (!isRecord(raw)) return {};
  const shifts = songs.flatMap(({ song_id }): [string, number][] => {
    const shift = toNumber(raw[song_id]);
    return shift !== undefined && Shift.safeParse(shift).success ? [[song_id, shift]] : [];
  });
  return shifts.length > 0 ? { shifts: Object.fromEntries(shifts) } : {};
}

/** Parses `[4, 4]` or `4/4`. The fallback is the meter of the songs if they agree, otherwise 4/4. */
function parseTimeSignature(raw: unknown, songs: readonly AnalyzedSong[], repairs: string[]): [number, number] {
  const parts: unknown[] = typeof raw === 'string' ? raw.split('/') : toList(raw);
  const beats = toNumber(parts[0]) ?? 0;
  const unit = toNumber(parts[1]) ?? 0;
  if (Number.isInteger(beats) && beats >= 2 && beats <= 7 && [2, 4, 8].includes(unit)) return [beats, unit];
  const meters = songs.map((song) => songBars(song.analysis).meter);
  const meter = meters.every((each) => each === meters[0]) ? (meters[0] ?? 4) : 4;
  repairs.push(`The time signature was taken as ${meter}/4.`);
  return [meter, 4];
}
