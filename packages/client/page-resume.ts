/** When a page comes back: shown again, thawed, taken from the cache of left pages, or on the network again. */

const DOCUMENT_EVENTS = ['visibilitychange', 'resume'] as const;
const WINDOW_EVENTS = ['online', 'pageshow'] as const;

/** Calls back when the page or the network is back, where there is a page. Returns how to stop it. */
export function onPageResume(wake: () => void): () => void {
  if (typeof document === 'undefined') return () => {};
  const hear = (event: Event): void => {
    // A page that is shown for the first time has missed nothing.
    const isNew = 'persisted' in event && event.persisted === false;
    if (!isNew && document.visibilityState !== 'hidden') wake();
  };
  for (const name of DOCUMENT_EVENTS) document.addEventListener(name, hear);
  for (const name of WINDOW_EVENTS) globalThis.addEventListener(name, hear);
  return () => {
    for (const name of DOCUMENT_EVENTS) document.removeEventListener(name, hear);
    for (const name of WINDOW_EVENTS) globalThis.removeEventListener(name, hear);
  };
}
