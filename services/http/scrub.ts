/** Removes secrets and paths of this machine from texts that leave a service. */

/** Longest error text that leaves a service, in characters. */
const MAX_DETAIL_LENGTH = 500;

/** Removes query strings of URLs (they may carry tokens) and absolute file paths from a text, and truncates it. */
export function scrubText(text: string): string {
  return text
    .replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s?#'"<>]*)[?#][^\s'"<>]*/gi, '$1')
    .replace(/file:\/\/\/[^\s'")]+/g, '<path>')
    .replace(/(^|[\s'"(=])\/(?:[\w.@+-]+\/)+[\w.@+-]*/g, '$1<path>')
    .replace(/(^|[\s'"(=])[A-Za-z]:\\[^\s'")]+/g, '$1<path>')
    .slice(0, MAX_DETAIL_LENGTH);
}
