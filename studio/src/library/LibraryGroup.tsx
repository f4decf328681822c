import type { MashupGroup, MashupJob } from '@mashup-engine/client';
import { Icon } from '@mashup-engine/react/kit';
import { LibraryRow, titleOf } from './LibraryRow.tsx';

interface Props {
  group: MashupGroup;
  onStart: (job: MashupJob) => void;
  onDelete: (job: MashupJob) => void;
}

/** A mashup with its versions: the newest match stands for all, and the others are below it. */
export function LibraryGroup({ group: { mashups, matched }, onStart, onDelete }: Props) {
  const head = mashups.find(({ id }) => id === matched[0]) ?? mashups.at(-1);
  if (head === undefined) return null;
  const others = mashups.filter((job) => job !== head).reverse();
  const row = (job: MashupJob, name: string) => (
    <LibraryRow job={job} name={name} onStart={() => onStart(job)} onDelete={() => onDelete(job)} />
  );
  return (
    <li className="panel" data-testid="library-group">
      {row(head, titleOf(head))}
      {others.length > 0 && (
        <details className="group mt-2 border-t border-line pt-2">
          <summary className="inline-flex min-h-8 cursor-pointer items-center gap-1.5 text-sm text-soft hover:text-ink">
            <Icon name="unfold" className="h-4 w-4 transition-transform group-open:rotate-180" />
            {mashups.length} versions
            {matched.length < mashups.length && `, ${matched.length} of them found`}
          </summary>
          <ol className="mt-2 space-y-3">
            {others.map((job) => (
              <li key={job.id} className={matched.includes(job.id) ? '' : 'opacity-80'}>
                {row(job, `Version ${mashups.indexOf(job) + 1}: ${titleOf(job)}`)}
              </li>
            ))}
          </ol>
        </details>
      )}
    </li>
  );
}
