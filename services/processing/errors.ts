/** Errors that end a render. */
import type { SongRange } from '../../schema.ts';

export type RenderErrorCode =
  | 'plan_empty'
  | 'plan_section_empty'
  | 'plan_invalid'
  | 'plan_unknown_song'
  | 'stems_missing'
  | 'upload_missing'
  | 'stem_unavailable'
  | 'storage_unavailable'
  | 'stem_unusable'
  | 'upload_failed'
  | 'upload_too_large'
  | 'mashup_unavailable'
  | 'mashup_differs'
  | 'render_silent'
  | 'render_failed';

/**
 * A render that cannot be completed. `message` says what is wrong and `hint` what to do about it. Neither contains a URL or a
 * local path.
 */
export class RenderError extends Error {
  readonly code: RenderErrorCode;
  readonly hint: string;
  /** Parts of songs that the stems do not hold; of `stems_missing` only. */
  readonly missing: readonly SongRange[] | undefined;

  constructor(code: RenderErrorCode, message: string, hint: string, cause?: unknown, missing?: readonly SongRange[]) {
    super(message, { cause });
    this.name = 'RenderError';
    this.missing = missing;
    this.code = code;
    this.hint = hint;
  }
}
