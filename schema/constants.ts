/** What pages need as well as servers. Without zod, so that a browser does not load it for a few numbers and names. */

/** The four stems of a song, as separation makes them. */
export const STEMS = ['vocals', 'drums', 'bass', 'other'] as const;

/** File formats a mashup can be delivered in. */
export const OUTPUT_FORMATS = ['wav', 'flac', 'mp3'] as const;

/** Songs of one mashup; a draft (`hold: 'planning'`) may begin with one. */
export const MIN_SONGS = 2;
export const MAX_SONGS = 3;
/** Largest upload in bytes. The database has the same limit as setting `upload_max_bytes`. */
export const UPLOAD_MAX_BYTES = 50 * 1024 * 1024;
/** Extensions that `create-signed-upload` takes; the content decides later. */
export const UPLOAD_EXTENSIONS = ['mp3', 'wav', 'm4a', 'flac', 'ogg', 'aac'] as const;
/** Bucket of uploads, stems and results. */
export const BUCKET = 'mashups';
