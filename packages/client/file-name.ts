/** Names of files that are made of titles and names of songs. */

/** Longest name in characters: file systems limit names to 255 bytes. */
const MAX_LENGTH = 80;
/** Names of devices in Windows. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

/**
 * Returns a text as the name of a file, without an extension: without what some file system forbids in names or does not keep. Texts that have
 * nothing else become `Mashup`.
 */
export function fileNameOf(text: string): string {
  const clean = text
    .replace(/[\\/:*?"<>|\p{Cc}\p{Cf}]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .replace(/^[ .]+/, '');
  const name = [...clean]
    .slice(0, MAX_LENGTH)
    .join('')
    .replace(/[ .]+$/, '');
  return name === '' || RESERVED.test(name) ? `Mashup${name === '' ? '' : ` ${name}`}` : name;
}
