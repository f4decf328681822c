/** Client of the analysis service, `POST /analyze`. Responses of all its versions are normalised to a SongAnalysis. */
import { z } from 'zod';
import { AnalyzeRequest, HealthResponse, SERVICE_DEFAULTS, SongAnalysis } from '../../schema.ts';
import { formatKey, parseKey, type Key } from '../../music/theory/keys.ts';
import { spellChord } from '../../music/theory/spelling.ts';
import { TaskError } from '../errors.ts';
import { callJson } from './http.ts';
import { asNumber, asObject, asShare, clamp, parseResponse } from './read.ts';

/** Limit of the version request. */
const HEALTH_TIMEOUT_MS = 2_000;
/** Seconds of one analysis frame of the existing service: the unit of its `groove_stability`. */
const FRAME_SEC = 512 / 44_100;
/** Defaults of values that a service leaves out. */
const DEFAULTS = {
  chord_complexity: 0.5,
  groove_stability: 0.5,
  swing_factor: 0,
  dynamic_range: 15,
  vocal_presence: 0.5,
};
const MFCC_ROWS = 13;

const Envelope = z.looseObject({ success: z.literal(true).optional(), analysis: z.looseObject({}) });

/** Analyses a song. `fileUrls`: its file, or those whose sum it is. @throws TaskError; permanent `audio_no_beat` if the service found no tempo */
export async function callAnalyze(
  baseUrl: string,
  request: { songId: string; fileUrls: string[] },
  options: { signal: AbortSignal; timeoutMs: number; token?: string },
): Promise<SongAnalysis> {
  const { songId, fileUrls } = request;
  const body: AnalyzeRequest = { song_id: songId, songId, file_url: fileUrls[0]! };
  if (fileUrls.length > 1) body.file_urls = fileUrls;
  const response = await callJson({
    service: 'analysis',
    baseUrl,
    path: SERVICE_DEFAULTS.analysis.path,
    body,
    ...options,
  });
  return toSongAnalysis(parseResponse('analysis', Envelope, response).analysis);
}

/** Requests the version of the service from `/health`. Returns undefined if the service does not report one. */
export async function fetchVersion(
  baseUrl: string,
  { signal, token }: { signal: AbortSignal; token?: string },
): Promise<string | undefined> {
  try {
    const response = await callJson({
      service: 'analysis',
      baseUrl,
      path: '/health',
      signal,
      token,
      timeoutMs: HEALTH_TIMEOUT_MS,
    });
    return HealthResponse.safeParse(response).data?.version;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Optional members of the rhythm that are kept if they are valid. */
const RHYTHMIC_MEMBERS = [
  'tempo_alternatives',
  'beats_sec',
  'downbeats_sec',
  'meter',
  'has_beat',
  'tempo_parts',
  'beat_bands',
] as const;

/**
 * Normalises an analysis: MFCCs become 13 row means, shares are limited to 0..1, `key` and `scale` are joined, missing values
 * get defaults. The existing service measures groove in frames (higher is less stable); it becomes 1 - spread / beat.
 * @throws TaskError `audio_no_beat` for a tempo of zero
 */
export function toSongAnalysis(raw: Record<string, unknown>): SongAnalysis {
  const mfccs = rowMeans(asObject(raw['spectral'])['mfccs']);
  const known = SongAnalysis.safeParse({ ...raw, spectral: { ...asObject(raw['spectral']), mfccs } });
  const harmonic = asObject(raw['harmonic']);
  const key = readKey(harmonic);
  if (known.success) return { ...known.data, harmonic: { ...known.data.harmonic, key: key ? formatKey(key) : 'N/A' } };

  const rhythmic = asObject(raw['rhythmic']);
  const spectral = asObject(raw['spectral']);
  const vocal = asObject(raw['vocal']);
  const bpm = asNumber(rhythmic['bpm'], 0);
  if (bpm <= 0) {
    throw new TaskError('No beat was found in this song.', {
      code: 'audio_no_beat',
      hint: 'Choose a song with a steady beat; silence and very short files have none.',
      faultClass: 'permanent',
    });
  }
  const duration = asNumber(raw['duration_sec'], 0);
  return {
    version: typeof raw['version'] === 'string' && raw['version'] !== '' ? raw['version'] : 'unknown',
    duration_sec: duration > 0 ? duration : null,
    harmonic: {
      key: key ? formatKey(key) : 'N/A',
      key_confidence: asShare(harmonic['key_confidence'], 0),
      chord_progression: readChords(harmonic['chord_progression'], key),
      chord_complexity: asShare(harmonic['chord_complexity'], DEFAULTS.chord_complexity),
      ...optional(SongAnalysis.shape.harmonic.shape, harmonic, [
        'camelot',
        'tuning_cents',
        'tuning_confidence',
        'chords',
        'beat_chroma',
      ]),
    },
    rhythmic: {
      bpm,
      beat_confidence: asShare(rhythmic['beat_confidence'], 0.5),
      groove_stability: stabilityOf(rhythmic['groove_stability'], bpm),
      swing_factor: asShare(rhythmic['swing_factor'], DEFAULTS.swing_factor),
      ...optional(SongAnalysis.shape.rhythmic.shape, rhythmic, RHYTHMIC_MEMBERS),
    },
    spectral: {
      mfccs,
      dynamic_range: clamp(asNumber(spectral['dynamic_range'], DEFAULTS.dynamic_range), -100, 100),
      brightness: Math.max(0, asNumber(spectral['brightness'], 0)),
    },
    vocal: {
      vocal_presence: asShare(vocal['vocal_presence'], DEFAULTS.vocal_presence),
      ...optional(SongAnalysis.shape.vocal.shape, vocal, ['voices_alone', 'curve']),
    },
    ...optional(SongAnalysis.shape, raw, ['energy', 'loudness', 'sections', 'waveform', 'content', 'fingerprint']),
    has_timbre: mfccs.length === MFCC_ROWS,
  };
}

/** Parses `C# minor`, or `C#` and a separate scale; null without a key. */
function readKey(harmonic: Record<string, unknown>): Key | null {
  const key = typeof harmonic['key'] === 'string' ? harmonic['key'] : '';
  const scale = typeof harmonic['scale'] === 'string' ? harmonic['scale'] : '';
  return parseKey(/\s|m/i.test(key) ? key : `${key} ${scale}`.trim());
}

/** The existing service returns an unordered set. It is sorted, so that equal songs give equal bytes. Roots are spelled as in the key. */
function readChords(value: unknown, key: Key | null): string[] {
  const chords = Array.isArray(value) ? value.filter((chord): chord is string => typeof chord === 'string') : [];
  return chords.map((chord) => spellChord(chord, key)).sort();
}

function stabilityOf(value: unknown, bpm: number): number {
  const frames = asNumber(value, NaN);
  if (Number.isNaN(frames)) return DEFAULTS.groove_stability;
  return clamp(1 - (frames * FRAME_SEC * bpm) / 60, 0, 1);
}

/** Returns the means of the 13 rows of a matrix, as a column; empty for anything else. */
function rowMeans(value: unknown): number[][] {
  if (!Array.isArray(value) || value.length !== MFCC_ROWS) return [];
  const means: number[][] = [];
  for (const row of value) {
    if (!Array.isArray(row) || row.length === 0) return [];
    let sum = 0;
    for (const cell of row) sum += asNumber(cell, 0);
    means.push([sum / row.length]);
  }
  return means;
}

/** Returns the optional members that are present and valid. */
function optional<S extends z.core.$ZodLooseShape, K extends keyof S & string>(
  shape: S,
  from: Record<string, unknown>,
  names: readonly K[],
): { [N in K]?: z.output<S[N]> } {
  const found: { [N in K]?: z.output<S[N]> } = {};
  for (const name of names) {
    if (from[name] === undefined) continue;
    const parsed = z.safeParse(shape[name] as z.core.$ZodType<z.output<S[K]>>, from[name]);
    if (parsed.success) found[name] = parsed.data;
  }
  return found;
}
