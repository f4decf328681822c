/** What the library shows, as it stands in the address: `search`, `state`, `sort`, `pages`. */
import type { MashupListQuery } from '@mashup-engine/react';

export type LibraryState = NonNullable<MashupListQuery['state']>;
export type LibrarySort = NonNullable<MashupListQuery['sort']>;
/** `pages`: how many pages of the list are shown. */
export type LibraryQuery = Required<MashupListQuery> & { pages: number };

const MAX_PAGES = 100;

/** The states by which mashups are filtered, with their names. */
export const STATE_NAMES: Record<LibraryState, string> = {
  all: 'All',
  processing: 'In progress',
  complete: 'Complete',
  failed: 'Failed',
  cancelled: 'Cancelled',
  draft: 'Drafts',
};
/** The orders, with their names. */
export const SORT_NAMES: Record<LibrarySort, string> = {
  newest: 'Newest first',
  oldest: 'Oldest first',
  title: 'Title',
  longest: 'Longest first',
  shortest: 'Shortest first',
};

const isKey = <T extends object>(names: T, key: string): key is string & keyof T => Object.hasOwn(names, key);

/** Reads the query of the address. What is not known is left out. */
export function parseLibraryQuery(query: string): LibraryQuery {
  const values = new URLSearchParams(query);
  const search = (values.get('search') ?? '').replace(/\p{Cc}+/gu, ' ');
  const pages = Math.trunc(Number(values.get('pages')));
  const [state, sort] = [values.get('state') ?? '', values.get('sort') ?? ''];
  return {
    search: search.trim() === '' ? '' : search,
    state: isKey(STATE_NAMES, state) ? state : 'all',
    sort: isKey(SORT_NAMES, sort) ? sort : 'newest',
    pages: pages >= 1 ? Math.min(pages, MAX_PAGES) : 1,
  };
}

/** The address of a query. What is usual is left out. */
export function libraryAddress({ search, state, sort, pages }: LibraryQuery): string {
  const values = new URLSearchParams({
    ...(search.trim() === '' ? {} : { search }),
    ...(state === 'all' ? {} : { state }),
    ...(sort === 'newest' ? {} : { sort }),
    ...(pages === 1 ? {} : { pages: String(pages) }),
  });
  return values.size === 0 ? '#/library' : `#/library?${values.toString()}`;
}
