/** Filters of the list of jobs, as members of the address: each list has an address that can be shared. */
import { STAGE_NAMES, STAGES } from '../../../schema/stages.ts';

/** The members that `operator_jobs` filters by. All are texts; an empty one does not filter. */
export const FILTER_NAMES = [
  'stage',
  'stopped',
  'error',
  'user',
  'service',
  'text',
  'hours',
  'since',
  'until',
] as const;
export type FilterName = (typeof FILTER_NAMES)[number];
export type JobFilter = Partial<Record<FilterName, string>>;

/** Choices of the stage: each stage, and two names for several. */
export const STAGE_CHOICES: [value: string, name: string][] = [
  ['', 'Any stage'],
  ['live', 'Live (any)'],
  ['ended', 'Ended (any)'],
  ...STAGES.map((stage): [string, string] => [stage, STAGE_NAMES[stage]]),
];

/** Choices of the time in which jobs ended, or were created if they are live, in hours. */
export const TIME_CHOICES: [value: string, name: string][] = [
  ['', 'Any time'],
  ['1', 'Last hour'],
  ['24', 'Last day'],
  ['168', 'Last 7 days'],
  ['720', 'Last 30 days'],
];

/** Where a page of the list begins: before the job of this time and id. */
export interface Place {
  time: string;
  id: string;
}

/** Reads the filters and the place of a list from the query of its address. Unknown members are left out. */
export function readQuery(query: string): { filter: JobFilter; before: Place | undefined } {
  const members = new URLSearchParams(query);
  const filter: JobFilter = {};
  for (const name of FILTER_NAMES) {
    const value = members.get(name)?.trim();
    if (value) filter[name] = value;
  }
  const time = members.get('before');
  const id = members.get('id');
  return { filter, before: time !== null && id !== null ? { time, id } : undefined };
}

/** The address of a list of jobs. */
export function jobsUrl(filter: JobFilter, before?: Place): string {
  const members = new URLSearchParams();
  for (const name of FILTER_NAMES) {
    const value = filter[name];
    if (value) members.set(name, value);
  }
  if (before) {
    members.set('before', before.time);
    members.set('id', before.id);
  }
  const query = members.toString();
  return `#/operator/jobs${query === '' ? '' : `?${query}`}`;
}

/** The address of a job, with one of its tasks chosen if `task` is given. */
export const jobUrl = (id: string, task?: number): string =>
  `#/operator/${encodeURIComponent(id)}${task === undefined ? '' : `?task=${task}`}`;
