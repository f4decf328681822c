/** Removes secrets from texts of other systems before they are stored, logged or shown. */

/** Longest error text that is stored or logged. */
export const MAX_ERROR_TEXT = 500;

/**
 * Removes secrets from a text and truncates it: query strings and credentials of URLs, Authorization headers, bearer tokens,
 * JWTs, Supabase and Anthropic keys, pairs such as `…_KEY=…`, and absolute paths of the machine.
 */
export function redact(text: string, maxLength: number = MAX_ERROR_TEXT): string {
  const clean = text
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@'"<>]+@/gi, '$1')
    .replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s?#'"<>]*)[?#][^\s'"<>]*/gi, '$1')
    .replace(/\b(authorization["']?\s*[=:]\s*["']?)(?:\w+\s+)?[^\s'",;]+/gi, '$1…')
    .replace(/\bbearer\s+[\w.~+/=-]+/gi, 'Bearer …')
    .replace(/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, '…')
    .replace(/\b(?:sb_secret|sb_publishable|sk-ant)[\w-]+/g, '…')
    .replace(
      /\b((?:[\w-]*[_-])?(?:api)?(?:key|token|password|passwd|secret|signature|credential)s?)(["']?\s*[=:]\s*["']?)[\w.~+/%=-]{6,}/gi,
      '$1$2…',
    )
    .replace(/(^|[\s'"(=])\/(?:[\w.@+-]+\/)+[\w.@+-]*/g, '$1<path>')
    .replace(/\s+/g, ' ')
    .trim();
  return clean.length <= maxLength ? clean : `${clean.slice(0, maxLength - 1)}…`;
}

/** The redacted message of anything thrown. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return redact(String(error));
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return redact(error.message || code || error.name);
}
