import type { MashupJob } from '@mashup-engine/client';
import { Icon } from '../common/icons.tsx';

/** Warnings of a job, e.g. an excluded song or a plan by rules. */
export function Warnings({ job }: { job: MashupJob }) {
  if (job.warnings.length === 0) return null;
  return (
    <ul className="space-y-1 text-sm text-soft" aria-label="Notes">
      {job.warnings.map((warning) => (
        <li key={warning.code + warning.message} className="flex gap-2">
          <Icon name="warning" className="mt-0.5 h-4 w-4 text-warn" />
          {warning.message}
        </li>
      ))}
    </ul>
  );
}
