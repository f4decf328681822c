/** Versions of a mashup: jobs that descend from the same first job by feedback or edits. */
import type { MashupJob } from '@mashup-engine/client';

/** Id of the first of the versions of a mashup. */
export const firstIdOf = (job: MashupJob): string => job.firstId ?? job.id;

/** All versions of a job among `mashups`, and the job itself, oldest first. */
export function versionsOf(job: MashupJob, mashups: MashupJob[]): MashupJob[] {
  const byId = new Map([...mashups, job].map((one) => [one.id, one]));
  return [...byId.values()]
    .filter((one) => firstIdOf(one) === firstIdOf(job))
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt));
}

/** The version to play: the job itself, or until it is complete its nearest complete ancestor. */
export function playableVersion(job: MashupJob, versions: MashupJob[]): MashupJob | undefined {
  if (job.status === 'complete') return job;
  const parent = versions.find((one) => one.id === job.parentId);
  return parent === undefined ? undefined : playableVersion(parent, versions);
}
