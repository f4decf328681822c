/** Faults of separation models. */

/** What is wrong with a model. */
export const MODEL_ERROR_CODES = [
  'model_missing',
  'model_broken',
  'model_unknown_form',
  'model_runtime_missing',
  'model_provider_missing',
  'model_memory',
  'model_failed',
  'model_install_failed',
  'model_registry_unreachable',
  'model_no_space',
] as const;
export type ModelErrorCode = (typeof MODEL_ERROR_CODES)[number];

/** A model cannot be used. The message and the hint hold no paths. */
export class ModelError extends Error {
  readonly code: ModelErrorCode;
  /** What to do next, in one sentence. */
  readonly hint: string;

  constructor(code: ModelErrorCode, message: string, options: { hint: string; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ModelError';
    this.code = code;
    this.hint = options.hint;
  }
}
