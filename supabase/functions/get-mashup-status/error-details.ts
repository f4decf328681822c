/** Error details of the status contract. The type follows from the error code, never from the text of a message. */
import type { MashupDocument, StatusErrorDetails } from '../../../schema/api.ts';

const ADVICE: Record<StatusErrorDetails['type'], string> = {
  network_error: 'Check the connection, then try again.',
  audio_format_error: 'Use other audio files (MP3, WAV, AIFF, FLAC or Ogg).',
  service_error: 'Try again in a few minutes.',
  processing_error: 'Try again, or try other songs.',
  unknown_error: 'Try again.',
  validation_error: 'Send the id of a mashup as jobId.',
  job_not_found: 'Open one of your own mashups.',
  system_error: 'Try again in a few seconds.',
  cancelled: 'Start it again with retry, or make a new mashup.',
};

/** Details of a refused request, by its HTTP status. */
export function requestErrorDetails(status: number, hint: string): StatusErrorDetails {
  return errorDetails(status === 404 ? 'job_not_found' : status < 500 ? 'validation_error' : 'system_error', hint);
}

/** Details of an error type, with the hint of the error if it has one. */
function errorDetails(type: StatusErrorDetails['type'], hint?: string | null): StatusErrorDetails {
  return { type, recoverable: type !== 'audio_format_error', suggested_action: hint || ADVICE[type] };
}

/** Details of a job that ended without a result. */
export function jobErrorDetails(job: MashupDocument): StatusErrorDetails {
  if (job.status === 'cancelled') return errorDetails('cancelled', job.error_hint);
  return errorDetails(typeOf(job.error_code), job.error_hint);
}

function typeOf(code: string | null): StatusErrorDetails['type'] {
  if (code === null) return 'unknown_error';
  if (code.startsWith('audio_') || code === 'same_song_twice') return 'audio_format_error';
  if (/^(network|download|upload|storage)_/.test(code)) return 'network_error';
  if (code.startsWith('service_')) return 'service_error';
  return 'processing_error';
}
