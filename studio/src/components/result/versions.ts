/** Versions of a mashup: jobs that descend from the same first job by feedback. */
import type { MashupJob } from '../../../../schema.ts';

/** All versions of a job among `mashups`, oldest first. */
export function versionsOf(job: MashupJob, mashups: MashupJob[]): MashupJob[] {
  const byId = new Map([...mashups, job].map((one) => [one.id, one]));
  const rootOf = (one: MashupJob): string => {
    const parent = one.parent_id === null ? undefined : byId.get(one.parent_id);
    return parent === undefined ? one.id : rootOf(parent);
  };
  const root = rootOf(job);
  return [...byId.values()]
    .filter((one) => rootOf(one) === root)
    .sort((a, b) => a.created_at.localeCompare(b.created_at));
}

/** The version to play: the job itself, or until it is complete its nearest complete ancestor. */
export function playableVersion(job: MashupJob, versions: MashupJob[]): MashupJob | undefined {
  if (job.status === 'complete') return job;
  const parent = versions.find((one) => one.id === job.parent_id);
  return parent === undefined ? undefined : playableVersion(parent, versions);
}
