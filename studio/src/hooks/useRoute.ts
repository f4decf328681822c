/** Routes behind the `#` of the address, so that any static host can serve the page. */
import { useCallback, useSyncExternalStore } from 'react';

const PAGES = ['make', 'mashup', 'library', 'operator', 'account'] as const;
export type Page = (typeof PAGES)[number];

export interface Route {
  page: Page;
  /** Id of what the page shows, e.g. of a job. */
  id: string | undefined;
  /** What stands behind a question mark: search, filters. */
  query: string;
}

/** Parses `#/<page>/<id>?<query>`; an unknown page is `make`. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.split('?', 2);
  const [, name, id] = path.split('/');
  const page = PAGES.find((one) => one === name) ?? 'make';
  return { page, id: id === undefined || id === '' ? undefined : decodeURIComponent(id), query };
}

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}

/** Returns the current route and a function that goes to another one. */
export function useRoute(): [Route, (hash: string) => void] {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return [parseRoute(hash), useCallback((to: string) => void (location.hash = to), [])];
}
