/** Bytes that are read to detect the format of a file. They reach the first frames behind a tag with a cover image. */
export const SNIFF_BYTES = 2 * 1024 * 1024;
