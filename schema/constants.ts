/** Constants for browsers and servers. This file does not import zod, so that pages do not load it. */

/** Number of the protocol between workers and the schema: `mashup.protocol_version()` of the migrations of this version. */
export const PROTOCOL_VERSION = 3;
/** Oldest protocol that the migrations of this version serve: `mashup.min_protocol_version()`. */
export const MIN_PROTOCOL_VERSION = 3;

/** The four stems of a song. */
export const STEMS = ['vocals', 'drums', 'bass', 'other'] as const;
/** Stems that a user may give with a song. `instrumental`: all but the vocals. */
export const OWN_STEMS = [...STEMS, 'instrumental'] as const;

/** File formats a mashup can be delivered in. */
export const OUTPUT_FORMATS = ['wav', 'flac', 'mp3'] as const;

/**
 * Codes of the warnings of a render. `quality_check_failed`: a hard check of the delivered file failed; `other_format` and
 * `other_length`: the file is not as ordered; `render_note`: anything else that the renderer did differently.
 */
export const RENDER_WARNINGS = ['quality_check_failed', 'other_format', 'other_length', 'render_note'] as const;
export type RenderWarning = (typeof RENDER_WARNINGS)[number];

/** Largest number of edits of a plan in one request. As in `mashup.check_plan_edits`. */
export const MAX_PLAN_EDITS = 40;

/** Number of songs in a mashup. A draft (`hold: 'planning'`) may have one. */
export const MIN_SONGS = 2;
export const MAX_SONGS = 3;
/** Length of the longest song in seconds. Equals the database's setting `song_max_sec`. */
export const SONG_MAX_SEC = 900;
/** Largest upload in bytes. Equals the database's setting `upload_max_bytes`. */
export const UPLOAD_MAX_BYTES = 50 * 1024 * 1024;
/** Size of the largest file that Storage accepts by default, in bytes: the database's setting `storage_max_bytes`. */
export const STORAGE_MAX_BYTES = 50 * 1024 * 1024;
/** Size of the largest part of a stem, in bytes. */
export const STEM_PART_BYTES = 40_000_000;
/** Extensions that `create-signed-upload` accepts. The file type is detected from the content later. */
export const UPLOAD_EXTENSIONS = [
  ...(['mp3', 'wav', 'm4a', 'flac', 'ogg', 'aac'] as const),
  ...(['opus', 'oga', 'aiff', 'aif', 'aifc'] as const),
] as const;
/** Storage bucket of uploads, stems and results. */
export const BUCKET = 'mashups';
/** Value of `mashup_role` in the app_metadata of operators. As in `mashup.require_operator`. */
export const OPERATOR_ROLE = 'operator';
