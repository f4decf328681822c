/** The file of a mashup: a format that Storage accepts. */
import { OutputFormat } from '../../schema.ts';
import type { Plan, RenderRequest } from '../../schema.ts';
import { STORAGE_MAX_BYTES } from '../../schema/constants.ts';
import { settingNumber } from '../database/database-api.ts';
import { uploadTarget } from './context.ts';
import type { TaskContext } from './context.ts';

/** Bytes of 16-bit stereo at 44.1 kHz for each second. */
const RAW_BYTES_PER_SEC = 44_100 * 4;
/** The header and tags of a file. */
const HEADER_BYTES = 2_000;
const MEGABYTE = 1_000_000;

/** Returns the format that a job asks for. */
export function wantedFormat({ claim }: TaskContext): OutputFormat {
  return OutputFormat.catch('wav').parse(claim.options.format);
}

/** Returns the planned length of a mashup in seconds. */
export function plannedSeconds(plan: Plan): number {
  return plan.masterplan.timeline.reduce((sum, section) => sum + section.duration_sec, 0);
}

/**
 * Chooses the format of a mashup and signs its upload. A WAV that is too large for Storage becomes FLAC. The size of a FLAC is
 * known only when it is encoded: the renderer gets MP3 as a smaller format, which is always small enough.
 */
export async function chooseOutput(
  context: TaskContext,
  plan: Plan,
  prefix: string,
): Promise<Pick<RenderRequest, 'format' | 'upload' | 'max_bytes' | 'smaller'>> {
  const maxBytes = await settingNumber(context, 'storage_max_bytes', STORAGE_MAX_BYTES);
  const wanted = wantedFormat(context);
  const isTooLarge = plannedSeconds(plan) * RAW_BYTES_PER_SEC + HEADER_BYTES > maxBytes;
  const format = wanted === 'wav' && isTooLarge ? 'flac' : wanted;
  return {
    format,
    upload: await uploadTarget(context, `${prefix}.${format}`),
    max_bytes: maxBytes,
    ...(format === 'flac' && isTooLarge
      ? { smaller: { format: 'mp3', ...(await uploadTarget(context, `${prefix}.mp3`)) } }
      : {}),
  };
}

/** Returns the warning about a mashup that is not in the format that was asked for. */
export function formatWarning(
  wanted: OutputFormat,
  delivered: OutputFormat,
  seconds: number,
  maxBytes: number,
): string | undefined {
  if (delivered === wanted) return undefined;
  const rawBytes = seconds * RAW_BYTES_PER_SEC;
  if (rawBytes <= maxBytes) return `The renderer wrote ${delivered.toUpperCase()} instead of ${wanted.toUpperCase()}.`;
  const size = wanted === 'wav' ? `${Math.round(rawBytes / MEGABYTE)} MB` : 'too large';
  const sound = delivered === 'flac' ? ', which has the same sound' : '';
  return `As ${wanted.toUpperCase()} the mashup would be ${size}, and Storage accepts ${Math.floor(maxBytes / MEGABYTE)} MB: it is delivered as ${delivered.toUpperCase()}${sound}.`;
}
