/** The stems of a finished mashup: asked for once, then read, played and downloaded. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { stemTitle } from '../../music/theory/stem-texts.ts';
import { BUCKET } from '../../schema/constants.ts';
import type { MashupStems as WireStems } from '../../schema/mashup-stems.ts';
import { rpc } from './calls.ts';
import { fromDatabaseError, MashupClientError } from './errors.ts';
import { fileNameOf } from './file-name.ts';
import type { MashupJob, MashupStemFile, MashupStems, PlayableAudio } from './types.ts';
import { toCamel, toSnake } from './wire.ts';

/** Life of a download link in seconds. */
const LINK_SECONDS = 3600;
/** Links signed in one request. */
const LINKS_PER_REQUEST = 100;

/** Stems whose files are there. */
export type ReadyStems = Extract<MashupStems, { state: 'ready' }>;

/** A stem with signed links to its parts, in order. */
export interface StemUrls extends MashupStemFile {
  urls: string[];
}

/**
 * Asks for the stems of a complete mashup, unless they are there or being made. The job's row (`result.stems`) tells the progress.
 * @throws MashupClientError
 */
export async function requestStems(supabase: SupabaseClient, jobId: string): Promise<MashupStems> {
  return toCamel(await rpc<WireStems>(supabase, 'request_mashup_stems', toSnake({ jobId }))) as MashupStems;
}

/** Reads the stems of a job's result; null if nobody asked for them, or they have been deleted. @throws MashupClientError */
export async function readStems(
  supabase: SupabaseClient,
  job: Pick<MashupJob, 'id' | 'resultPath'>,
): Promise<MashupStems | null> {
  if (job.resultPath === null) return null;
  const { data, error, status } = await supabase
    .from('mashup_results')
    .select('stems')
    .eq('job_id', job.id)
    .eq('path', job.resultPath)
    .maybeSingle<{ stems: WireStems | null }>();
  if (error) throw fromDatabaseError(error, status);
  return data?.stems ? (toCamel(data.stems) as MashupStems) : null;
}

/** Returns a stem as audio in parts, which `downloadPart` and players of parts take. */
export function playableStem({ sampleRate, totalFrames, ends }: ReadyStems, { path }: MashupStemFile): PlayableAudio {
  return { path, sampleRate, totalFrames, ends };
}

/** Signs links to all parts of stems, which are valid for an hour. @throws MashupClientError `no_result` */
export async function stemUrls(supabase: SupabaseClient, { files, ends }: ReadyStems): Promise<StemUrls[]> {
  const paths = files.flatMap(({ path }) => ends.map((_end, i) => `${path}/${i}.flac`));
  const links = new Map<string, string>();
  for (let start = 0; start < paths.length; start += LINKS_PER_REQUEST) {
    const { data, error } = await supabase.storage
      .from(BUCKET)
      .createSignedUrls(paths.slice(start, start + LINKS_PER_REQUEST), LINK_SECONDS);
    if (error) throw stemsGone(error.message, error);
    for (const { path, signedUrl } of data) if (path !== null && signedUrl) links.set(path, signedUrl);
  }
  return files.map((file) => ({
    ...file,
    urls: ends.map((_end, i) => links.get(`${file.path}/${i}.flac`) ?? fail(stemsGone(`${file.path}/${i}.flac`))),
  }));
}

/** Returns a name for the file of a stem, such as `1 Song A - Vocals.flac`. The number is that of the song in the job. */
export function stemFileName(
  { songs }: Pick<MashupJob, 'songs'>,
  { songId, stem }: Pick<MashupStemFile, 'songId' | 'stem'>,
  extension: string,
): string {
  const index = songs.findIndex((song) => song.songId === songId);
  const name = fileNameOf(songs[index]?.name ?? 'Song');
  return `${index + 1} ${name} - ${stemTitle(stem)}.${extension}`;
}

function stemsGone(details: string, cause?: unknown): MashupClientError {
  return new MashupClientError('no_result', 'The stems of this mashup are not available.', {
    hint: 'They may have been deleted: ask for them again.',
    details,
    cause,
  });
}

function fail(error: Error): never {
  throw error;
}
