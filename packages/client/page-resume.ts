/** Detects that a page resumes: shown again, unfrozen, restored from the back/forward cache, or online again. */

const DOCUMENT_EVENTS = ['visibilitychange', 'resume'] as const;
const WINDOW_EVENTS = ['online', 'pageshow'] as const;

/** Calls `onResume` when the page or the network is back. Without a page it does nothing. @returns a function that stops it */
export function onPageResume(onResume: () => void): () => void {
  if (typeof document === 'undefined') return () => {};
  const handle = (event: Event): void => {
    // A page that is shown for the first time has missed no changes.
    const isNew = 'persisted' in event && event.persisted === false;
    if (!isNew && document.visibilityState !== 'hidden') onResume();
  };
  for (const name of DOCUMENT_EVENTS) document.addEventListener(name, handle);
  for (const name of WINDOW_EVENTS) globalThis.addEventListener(name, handle);
  return () => {
    for (const name of DOCUMENT_EVENTS) document.removeEventListener(name, handle);
    for (const name of WINDOW_EVENTS) globalThis.removeEventListener(name, handle);
  };
}
