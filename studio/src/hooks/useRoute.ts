/** The page's place in its address: behind the #, so that any static host serves it. */
import { useCallback, useSyncExternalStore } from 'react';

const PAGES = ['make', 'mashup', 'library', 'operator', 'account'] as const;
export type Page = (typeof PAGES)[number];

export interface Route {
  page: Page;
  /** What the page is about, e.g. a job's id. */
  id: string | undefined;
}

export function parseRoute(hash: string): Route {
  const [, name, id] = hash.split('/');
  const page = PAGES.find((one) => one === name) ?? 'make';
  return { page, id: id === undefined || id === '' ? undefined : decodeURIComponent(id) };
}

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}

export function useRoute(): [Route, (hash: string) => void] {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return [parseRoute(hash), useCallback((to: string) => void (location.hash = to), [])];
}
