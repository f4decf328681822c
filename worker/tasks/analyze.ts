/** The `analyze` task: checks and hashes an upload, and analyses it unless its owner's cache has the analysis. */
import type { AnalyzeTaskResult } from '../../schema/task-results.ts';
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { OwnStem, SongAnalysis } from '../../schema.ts';
import type { SongCard } from '../../schema/database.ts';
import { clock } from '../../music/plan/clock.ts';
import { hasBeat } from '../../music/theory/content.ts';
import { camelotCode, parseKey } from '../../music/theory/keys.ts';
import { OWN_STEM_NAMES } from '../../music/theory/stem-texts.ts';
import { detectFileType, FILE_TYPE_BYTES, isAudioType } from '../../audio/decode/detect.ts';
import type { FileType } from '../../audio/decode/detect.ts';
import { readWavHeader, WAV_HEADER_BYTES } from '../../audio/decode/wav.ts';
import { withSpan } from '../../telemetry/trace.ts';
import { TaskError } from '../errors.ts';
import { fetchVersion, callAnalyze } from '../services/analysis.ts';
import { settingNumber } from '../database/database-api.ts';
import { openDownload } from '../services/download.ts';
import { silenceLimitMs, songOf, urlSeconds } from './context.ts';
import { contentOfStems, hashOfFiles, loadGivenStems, partsOfSong } from './own-stems.ts';
import type { GivenStems } from './own-stems.ts';
import type { TaskContext } from './context.ts';
import { layoutOf } from './stem-layout.ts';

/** Room for warnings on a song's card: a third of what the limit of the job's row leaves for those of three songs. */
const MAX_CARD_WARNING_BYTES = 300;
/** Defaults of settings. */
const DEFAULT_UPLOAD_MAX_BYTES = 52_428_800;
const DEFAULT_SONG_MAX_SEC = 900;
/** File types that can be decoded only with ffmpeg. */
const NEEDS_FFMPEG: ReadonlySet<FileType> = new Set(['m4a', 'aac', 'wma', 'webm', 'aiff']);

interface Upload {
  /** SHA-256, hex. */
  hash: string;
  bytes: number;
  type: FileType;
  /** Known for WAV. */
  durationSec: number | null;
}

/** Runs the task. Returns the result for `mashup.record_analysis`. */
export async function analyze(context: TaskContext): Promise<AnalyzeTaskResult> {
  const { claim, signal, storage } = context;
  const song = songOf(claim);
  const baseUrl = context.serviceUrls.analysis;
  const token = context.serviceTokens.analysis;
  const [maxSec, given] = await Promise.all([
    settingNumber(context, 'song_max_sec', DEFAULT_SONG_MAX_SEC),
    loadGivenStems(context, song),
  ]);
  const urls = await storage.downloadUrls(
    given?.hasSong === false ? partsOfSong(given) : [song.path],
    urlSeconds(claim),
  );
  const upload = given ? await readWithStems(context, song, given) : await readUpload(context, song.path);
  if (upload.durationSec !== null && upload.durationSec > maxSec) throw tooLong(upload.durationSec, maxSec);

  const version = claim.fresh ? undefined : await fetchVersion(baseUrl, { signal, token });
  const cached = claim.fresh ? undefined : await findAnalysis(context, upload.hash, version);
  if (cached) {
    return {
      content_hash: upload.hash,
      version: cached.version,
      analysis_id: cached.id,
      card: cardOf(cached.analysis),
      stem_layout: layoutOf(song.name, cached.analysis),
      from_cache: true,
      service_used: false,
      message: withWarnings(`${song.name} was analysed before`, cached.analysis),
    };
  }

  const analysis = await callAnalyze(
    baseUrl,
    { songId: song.song_id, fileUrls: urls },
    { signal, timeoutMs: silenceLimitMs(context), token },
  ).catch((error: unknown) => {
    throw withFormatHint(error, upload.type);
  });
  analysis.content = (given && contentOfStems(given)) ?? analysis.content;
  analysis.duration_sec ??= upload.durationSec;
  if (analysis.duration_sec !== null && analysis.duration_sec > maxSec) throw tooLong(analysis.duration_sec, maxSec);
  return {
    content_hash: upload.hash,
    version: `${version ?? analysis.version}@${originOf(baseUrl)}`,
    analysis,
    card: cardOf(analysis),
    stem_layout: layoutOf(song.name, analysis),
    from_cache: false,
    service_used: true,
    message: withWarnings(`${song.name} is analysed`, analysis),
  };
}

/** Reads a file in Storage. */
async function readUpload(context: TaskContext, path: string): Promise<Upload> {
  const url = await context.storage.downloadUrl(path, urlSeconds(context.claim));
  const upload = await withSpan('read upload', {}, () => fetchUpload(context, url));
  context.metrics.storageBytes('upload_read', upload.bytes);
  return upload;
}

/** Reads a song with the stems that were given with it. The hash is that of all files. @throws TaskError that names the file */
async function readWithStems(context: TaskContext, song: SongCard, given: GivenStems): Promise<Upload> {
  const whole = given.hasSong ? await readUpload(context, song.path) : undefined;
  const stems: [OwnStem, Upload][] = [];
  for (const [stem, path] of given.files)
    stems.push([
      stem,
      await readUpload(context, path).catch((error: unknown) => {
        throw ofStem(error, stem);
      }),
    ]);
  const hashes = stems.map(([stem, { hash }]) => [stem, hash] as const);
  const first = whole ?? stems[0]![1];
  return { ...first, hash: hashOfFiles(whole ? [['song', whole.hash], ...hashes] : hashes) };
}

/** Says in a fault of a file which stem it is. */
function ofStem(error: unknown, stem: OwnStem): unknown {
  if (!(error instanceof TaskError) || error.faultClass !== 'permanent') return error;
  const { code, hint, faultClass } = error;
  return new TaskError(`The file given as ${OWN_STEM_NAMES[stem]} cannot be used. ${error.message}`, {
    code,
    hint,
    faultClass,
    cause: error,
  });
}

/** Streams the upload once to determine size, SHA-256, file type and, for WAV, length. Does not keep the content. */
async function fetchUpload(context: TaskContext, url: string): Promise<Upload> {
  const { signal } = context;
  const maxBytes = await settingNumber(context, 'upload_max_bytes', DEFAULT_UPLOAD_MAX_BYTES);
  const chunks = await openDownload(url, signal);
  const hash = createHash('sha256');
  let head = Buffer.alloc(0);
  let bytes = 0;
  let type: FileType | undefined;
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      hash.update(chunk);
      if (head.length < WAV_HEADER_BYTES)
        head = Buffer.concat([head, chunk.subarray(0, WAV_HEADER_BYTES - head.length)]);
      if (type === undefined && head.length >= FILE_TYPE_BYTES) type = requireAudio(detectFileType(head));
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof TaskError) throw error;
    throw new TaskError('The download of the song was interrupted.', {
      code: 'storage_unavailable',
      hint: 'It is retried automatically.',
      faultClass: 'unavailable',
      service: 'storage',
      spendsAttempt: false,
      cause: error,
    });
  }
  type ??= requireAudio(detectFileType(head));
  return { hash: hash.digest('hex'), bytes, type, durationSec: readWavHeader(head, bytes)?.durationSec ?? null };
}

/** Returns an audio type. @throws TaskError for an empty file, and for other types */
function requireAudio(type: FileType): FileType {
  if (isAudioType(type)) return type;
  if (type === 'empty') {
    throw new TaskError('The file is empty.', {
      code: 'audio_empty',
      hint: 'Upload the file again.',
      faultClass: 'permanent',
    });
  }
  throw new TaskError(`The file is not audio: its content is a ${type}.`, {
    code: 'audio_unsupported_format',
    hint: 'Use an MP3, WAV, AIFF, FLAC, Ogg Vorbis or Opus file.',
    faultClass: 'permanent',
  });
}

/** Services report formats that they cannot read with status 500 and various texts. Makes this fault permanent. */
function withFormatHint(error: unknown, type: FileType): unknown {
  if (!(error instanceof TaskError) || error.status !== 500 || !NEEDS_FFMPEG.has(type)) return error;
  return new TaskError(`The analysis cannot read ${type} files.`, {
    code: 'audio_needs_ffmpeg',
    hint: 'Convert the song to MP3, WAV, FLAC or Ogg and upload that. The studio converts m4a and AAC by itself.',
    faultClass: 'permanent',
    status: 500,
    cause: error,
  });
}

function tooLong(seconds: number, maxSec: number): TaskError {
  return new TaskError(`The song is ${clock(seconds)} min long; ${clock(maxSec)} min are allowed.`, {
    code: 'audio_too_long',
    hint: 'Cut the song to the part that you want to use.',
    faultClass: 'permanent',
  });
}

function tooLarge(maxBytes: number): TaskError {
  return new TaskError(`The file is larger than ${Math.round(maxBytes / 1_048_576)} MB.`, {
    code: 'audio_too_large',
    hint: 'Convert the song to MP3 or FLAC, or cut it.',
    faultClass: 'permanent',
  });
}

/** Finds the cached analysis of this content by this service. Without a known version, the newest analysis. */
async function findAnalysis(context: TaskContext, hash: string, version: string | undefined) {
  const suffix = `@${originOf(context.serviceUrls.analysis)}`;
  return context.db
    .selectFrom('mashup.analyses')
    .select(['id', 'version', 'analysis'])
    .where('user_id', '=', context.claim.user_id)
    .where('content_hash', '=', hash)
    .where(
      version === undefined ? sql<string>`right(version, ${suffix.length})` : 'version',
      '=',
      version === undefined ? suffix : version + suffix,
    )
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Returns host and path of a service, because two services may use the same version number. */
function originOf(baseUrl: string): string {
  const url = new URL(baseUrl);
  return (url.host + url.pathname).replace(/\/+$/, '');
}

/** Appends the warnings about the song's file to a message. */
function withWarnings(message: string, { warnings = [] }: SongAnalysis): string {
  return [message, ...warnings].join('. ');
}

/** Returns the values of the song's card, rounded: they are sent to clients with each change of the job's row. */
function cardOf(analysis: SongAnalysis): AnalyzeTaskResult['card'] {
  const { harmonic, rhythmic, spectral, vocal } = analysis;
  const key = parseKey(harmonic.key);
  const camelot = harmonic.camelot ?? (key ? camelotCode(key) : undefined);
  const figures = {
    duration_sec: rounded(analysis.duration_sec, 2),
    // The tempo of a sound without a beat is a placeholder.
    bpm: hasBeat(analysis) ? rounded(rhythmic.bpm, 2) : undefined,
    key: harmonic.key,
    camelot,
    energy: rounded(analysis.energy?.mean, 3),
    brightness: rounded(spectral.brightness, 0),
    loudness_lufs: rounded(analysis.loudness?.integrated_lufs, 1),
    vocal_presence: rounded(vocal.vocal_presence, 3),
    confidence: rounded(rhythmic.beat_confidence, 3),
  };
  const known = Object.entries(figures).filter((entry): entry is [string, number | string] => entry[1] !== undefined);
  return { ...Object.fromEntries(known), warnings: cardWarnings(analysis.warnings) };
}

/** Returns the warnings about a song, most important first, as far as the row has room for them. */
function cardWarnings(warnings: readonly string[] = []): string[] {
  let bytes = 0;
  return [...new Set(warnings)].filter((warning) => {
    bytes += Buffer.byteLength(JSON.stringify(warning)) + 2;
    return bytes <= MAX_CARD_WARNING_BYTES;
  });
}

function rounded(value: number | null | undefined, digits: number): number | undefined {
  return value === null || value === undefined ? undefined : Number(value.toFixed(digits));
}
