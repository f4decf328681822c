import { useRef } from 'react';
import type { ReactNode } from 'react';
import { STAGE_NAMES, WORKING_STAGES } from '../../../schema/stages.ts';
import { FILTER_NAMES, jobsUrl, STAGE_CHOICES, TIME_CHOICES } from './filters.ts';
import type { FilterName, JobFilter } from './filters.ts';
import type { Overview } from './types.ts';

/** The fields of a filter. A choice is applied at once, a text with Enter or the button: both are an address of their own. */
export function FilterForm({ filter, overview }: { filter: JobFilter; overview: Overview | undefined }) {
  const form = useRef<HTMLFormElement>(null);
  const apply = (): void => form.current?.requestSubmit();
  const services = (overview?.circuits ?? []).map(({ service }): [string, string] => [service, service]);
  const stages = WORKING_STAGES.map((stage): [string, string] => [stage, STAGE_NAMES[stage]]);
  return (
    <form
      ref={form}
      role="search"
      aria-label="Jobs"
      className="panel grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-6"
      onSubmit={(event) => {
        event.preventDefault();
        location.hash = jobsUrl(readForm(event.currentTarget)).slice(1);
      }}
    >
      <Labelled name="text" label="Title, song, error or id" className="col-span-2">
        <input name="text" type="search" className="field mt-1" defaultValue={filter.text} maxLength={200} />
      </Labelled>
      <Choice name="stage" label="Stage" filter={filter} choices={STAGE_CHOICES} onChange={apply} />
      <Choice name="hours" label="Time" filter={filter} choices={TIME_CHOICES} onChange={apply} />
      <Choice name="service" label="Service" filter={filter} choices={[['', 'Any'], ...services]} onChange={apply} />
      <Choice name="stopped" label="Stopped in" filter={filter} choices={[['', 'Any'], ...stages]} onChange={apply} />
      <Labelled name="error" label="Error code">
        <input name="error" list="error-codes" className="field mt-1" defaultValue={filter.error} />
        <datalist id="error-codes">
          {(overview?.failures ?? []).map(({ error_code, failed_in }) => (
            <option key={`${error_code} ${failed_in}`} value={error_code} />
          ))}
        </datalist>
      </Labelled>
      <Labelled name="user" label="User (id or e-mail)">
        <input name="user" className="field mt-1" defaultValue={filter.user} autoComplete="off" />
      </Labelled>
      <TimeField name="since" label="From" value={filter.since} />
      <TimeField name="until" label="Until" value={filter.until} />
      <div className="col-span-2 flex items-end gap-2">
        <button type="submit" className="button-primary">
          Search
        </button>
        <a className="button" href="#/operator/jobs">
          Clear
        </a>
      </div>
    </form>
  );
}

/** Reads the filled fields. Times are of the browser's time zone. */
function readForm(form: HTMLFormElement): JobFilter {
  const fields = new FormData(form);
  const filter: JobFilter = {};
  for (const name of FILTER_NAMES) {
    const value = fields.get(name);
    if (typeof value !== 'string' || value.trim() === '') continue;
    filter[name] = name === 'since' || name === 'until' ? new Date(value).toISOString() : value.trim();
  }
  return filter;
}

function Labelled({
  name,
  label,
  className,
  children,
}: {
  name: FilterName;
  label: string;
  className?: string;
  children: ReactNode;
}) {
  return (
    <label className={`block min-w-0 ${className ?? ''}`} data-filter={name}>
      <span className="label">{label}</span>
      {children}
    </label>
  );
}

function Choice({
  name,
  label,
  filter,
  choices,
  onChange,
}: {
  name: FilterName;
  label: string;
  filter: JobFilter;
  choices: [value: string, name: string][];
  onChange: () => void;
}) {
  const value = filter[name] ?? '';
  // A value of the address that is not among the choices stays, so that the list is what the form says.
  const all = choices.some(([one]) => one === value) ? choices : [...choices, [value, value] as const];
  return (
    <Labelled name={name} label={label}>
      <select name={name} className="field mt-1" defaultValue={value} onChange={onChange}>
        {all.map(([one, text]) => (
          <option key={one} value={one}>
            {text}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

function TimeField({ name, label, value }: { name: 'since' | 'until'; label: string; value: string | undefined }) {
  return (
    <Labelled name={name} label={label}>
      <input name={name} type="datetime-local" step={1} className="field mt-1" defaultValue={localTime(value)} />
    </Labelled>
  );
}

/** A time in the form of a field, in the browser's time zone; empty for one that cannot be read. */
function localTime(value: string | undefined): string {
  const time = value === undefined ? NaN : Date.parse(value);
  if (Number.isNaN(time)) return '';
  return new Date(time - new Date(time).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
