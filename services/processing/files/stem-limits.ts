/** What the file of a stem may be, and the error for one that is not. */
import type { AudioError } from '../../../audio/errors.ts';
import type { Stem } from '../../../schema.ts';
import { RenderError } from '../errors.ts';

/** Largest file of a stem: 15 minutes of 24-bit stereo as WAV, from services that know no parts. */
export const MAX_STEM_BYTES = 256 * 1024 * 1024;

/** A stem, for error messages. */
export type NamedStem = { song: string; stem: Stem };

/** Returns the error for a stem that cannot be decoded. */
export function unusableStem({ song, stem }: NamedStem, error: AudioError): RenderError {
  const message = `The ${stem} stem of "${song}" cannot be used: ${error.message}`;
  return new RenderError('stem_unusable', message, error.hint, error);
}
