import { useEffect, useState } from 'react';
import { SORT_NAMES, STATE_NAMES } from './query.ts';
import type { LibraryQuery, LibrarySort, LibraryState } from './query.ts';

/** Time after the last key before a search is made, in milliseconds. */
const TYPING_MS = 250;

/** Search, order and filter of the library. */
export function LibraryTools({
  query,
  onChange,
}: {
  query: LibraryQuery;
  onChange: (change: Partial<LibraryQuery>) => void;
}) {
  return (
    <search className="block space-y-3">
      <div className="flex flex-wrap gap-2 sm:flex-nowrap">
        <SearchField search={query.search} onChange={(search) => onChange({ search })} />
        <label className="min-w-0 flex-1 sm:flex-none">
          <span className="sr-only">Order</span>
          <select
            className="field sm:w-44"
            value={query.sort}
            onChange={(event) => onChange({ sort: event.target.value as LibrarySort })}
          >
            {Object.entries(SORT_NAMES).map(([sort, name]) => (
              <option key={sort} value={sort}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div role="group" aria-label="Filter by state" className="flex flex-wrap gap-2">
        {(Object.keys(STATE_NAMES) as LibraryState[]).map((state) => (
          <button
            key={state}
            type="button"
            aria-pressed={query.state === state}
            className={`min-h-9 rounded-full px-3 text-sm ${query.state === state ? 'bg-ink text-ground' : 'bg-raised text-soft hover:text-ink'}`}
            onClick={() => onChange({ state })}
          >
            {STATE_NAMES[state]}
          </button>
        ))}
      </div>
    </search>
  );
}

/** A field whose text is told when the typing pauses. */
function SearchField({ search, onChange }: { search: string; onChange: (search: string) => void }) {
  const [text, setText] = useState(search);
  // The address may change by itself, e.g. by the way back.
  useEffect(() => setText(search), [search]);
  useEffect(() => {
    if (text === search) return;
    const timer = setTimeout(() => onChange(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label className="min-w-0 basis-full sm:basis-0 sm:flex-1">
      <span className="sr-only">Search</span>
      <input
        type="search"
        className="field"
        placeholder="Title, song, artist or wish"
        value={text}
        maxLength={200}
        onChange={(event) => setText(event.target.value)}
      />
    </label>
  );
}
