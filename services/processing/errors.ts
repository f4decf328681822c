/** Why a render cannot be made. */

export type RenderErrorCode =
  | 'plan_empty'
  | 'plan_section_empty'
  | 'plan_invalid'
  | 'plan_unknown_song'
  | 'stems_missing'
  | 'upload_missing'
  | 'stem_unavailable'
  | 'stem_unusable'
  | 'upload_failed'
  | 'render_silent'
  | 'render_failed';

/** A render that cannot go on: `message` says what is wrong, `hint` what to do. Carries no URL and no path of the machine. */
export class RenderError extends Error {
  readonly code: RenderErrorCode;
  readonly hint: string;

  constructor(code: RenderErrorCode, message: string, hint: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'RenderError';
    this.code = code;
    this.hint = hint;
  }
}
