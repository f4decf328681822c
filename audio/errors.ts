/** The error class for audio files that cannot be used. */
import type { AudioErrorCode } from '../schema.ts';

const HINTS: Record<AudioErrorCode, string> = {
  audio_unsupported_format: 'Use an MP3, WAV, AIFF, FLAC, Ogg Vorbis or Opus file.',
  audio_empty: 'Upload the file again: no bytes were received.',
  audio_damaged: 'Export or download the song again, or convert it to WAV with an audio editor.',
  audio_truncated: 'The upload or download stopped early. Get the complete file and upload it again.',
  audio_silent: 'Choose a file that is not silent.',
  audio_too_short: 'Choose a longer excerpt of the song.',
  audio_too_long: 'Cut the song to the part that you want to use.',
  audio_too_large: 'Convert the song to MP3 or FLAC, or cut it.',
  own_stems_mismatch:
    'Give the stems of this version of the song, or leave the file out. An acapella can also be a song of its own.',
  audio_needs_ffmpeg:
    'Upload it in the studio, which converts it, or convert it to MP3, WAV, AIFF, FLAC or Ogg. Services with a system ffmpeg read it as it is.',
};

/** A file that cannot be decoded or used. `code` names the fault, `hint` is the advice for the user. */
export class AudioError extends Error {
  readonly code: AudioErrorCode;
  readonly hint: string;

  constructor(code: AudioErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'AudioError';
    this.code = code;
    this.hint = options.hint ?? HINTS[code];
  }
}
