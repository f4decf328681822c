import { useEffect, useRef, useState } from 'react';
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
  /** `isStep`: the way back leads to what was shown before. */
  onChange: (change: Partial<LibraryQuery>, isStep: boolean) => void;
}) {
  return (
    <search className="block space-y-3">
      <div className="flex flex-wrap gap-2 sm:flex-nowrap">
        <SearchField search={query.search} onChange={(search, isStep) => onChange({ search }, isStep)} />
        <label className="min-w-0 flex-1 sm:flex-none">
          <span className="sr-only">Order</span>
          <select
            className="field sm:w-44"
            value={query.sort}
            onChange={(event) => onChange({ sort: event.target.value as LibrarySort }, true)}
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
            onClick={() => onChange({ state }, true)}
          >
            {STATE_NAMES[state]}
          </button>
        ))}
      </div>
    </search>
  );
}

/** A field whose text is told when the typing pauses. All that is typed until the field is left, or Enter is pressed, is one step. */
function SearchField({ search, onChange }: { search: string; onChange: (search: string, isStep: boolean) => void }) {
  const [text, setText] = useState(search);
  /** What the field holds, also before the next rendering. */
  const typed = useRef(search);
  const told = useRef(search);
  const isTyping = useRef(false);
  const tell = (): void => {
    if (typed.current === told.current) return;
    told.current = typed.current;
    onChange(typed.current, !isTyping.current);
    isTyping.current = true;
  };
  const settle = (): void => {
    tell();
    isTyping.current = false;
  };
  // The address may change by itself, e.g. by the way back.
  useEffect(() => {
    if (search === told.current) return;
    told.current = typed.current = search;
    isTyping.current = false;
    setText(search);
  }, [search]);
  useEffect(() => {
    const timer = setTimeout(tell, TYPING_MS);
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
        onChange={(event) => setText((typed.current = event.target.value))}
        onKeyDown={(event) => event.key === 'Enter' && settle()}
        onBlur={settle}
      />
    </label>
  );
}
