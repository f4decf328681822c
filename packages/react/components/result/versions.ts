/** Versions of a mashup: jobs that descend from the same first job by feedback. */
import type { MashupJob } from '@mashup-engine/client';

/** All versions of a job among `mashups`, oldest first. */
export function versionsOf(job: MashupJob, mashups: MashupJob[]): MashupJob[] {
  const byId = new Map([...mashups, job].map((one) => [one.id, one]));
  const rootOf = (one: MashupJob): string => {
    const parent = one.parentId === null ? undefined : byId.get(one.parentId);
    return parent === undefined ? one.id : rootOf(parent);
  };
  const root = rootOf(job);
  return [...byId.values()]
    .filter((one) => rootOf(one) === root)
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt));
}

/** The version to play: the job itself, or until it is complete its nearest complete ancestor. */
export function playableVersion(job: MashupJob, versions: MashupJob[]): MashupJob | undefined {
  if (job.status === 'complete') return job;
  const parent = versions.find((one) => one.id === job.parentId);
  return parent === undefined ? undefined : playableVersion(parent, versions);
}
