/** Headers that restrict what a page of the site may do. */

/**
 * Returns the security headers of a page whose API has the page's own origin.
 * @param host the Host header. Browsers differ in whether `'self'` includes the web socket of the same host, so it is named
 */
export function siteHeaders(host: string | undefined): Record<string, string> {
  const socket = host !== undefined && /^[\w.-]+(:\d+)?$|^\[[\da-f:]+\](:\d+)?$/i.test(host) ? ` ws://${host}` : '';
  const policy = [
    "default-src 'none'",
    // The audio encoders and decoders are WebAssembly. No inline scripts, no eval.
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "media-src 'self' blob:",
    // The MP3 encoder fetches its WebAssembly from a data URL.
    `connect-src 'self' data:${socket}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'content-security-policy': policy.join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  };
}
