/** Headers of the pages. */

/**
 * Returns the headers of a page.
 * @param origins origins of sound and cover besides that of the page
 * @param isFramed whether other sites may show the page in a frame
 */
export function pageHeaders(origins: readonly string[], isFramed: boolean): Record<string, string> {
  const media = ["'self'", ...origins].join(' ');
  const policy = [
    "default-src 'none'",
    // The script makes no requests of its own: everything it shows is in the page.
    "script-src 'self'",
    "style-src 'self'",
    `img-src ${media} data:`,
    `media-src ${media}`,
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${isFramed ? '*' : "'none'"}`,
  ];
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'x-content-type-options': 'nosniff',
    // The address is the key to the page: it is not told to other sites, kept in caches, or listed by search engines.
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'x-robots-tag': 'noindex',
  };
}
