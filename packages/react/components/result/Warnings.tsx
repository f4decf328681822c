import type { MashupJob } from '@mashup-engine/client';
import { MusicText } from '../common/MusicText.tsx';
import { Notes } from '../common/Notes.tsx';
import { Notice } from '../common/Notice.tsx';

/** Code of a warning about a failed hard quality check. */
const CHECK_FAILED = 'quality_check_failed';

/** Failed quality checks of a job, its other warnings, e.g. an excluded song, and the peculiarities of its songs. */
export function Warnings({ job }: { job: MashupJob }) {
  const faults = job.warnings.filter(({ code }) => code === CHECK_FAILED).map(({ message }) => message);
  const notes = [
    ...job.warnings.filter(({ code }) => code !== CHECK_FAILED).map(({ message }) => message),
    ...job.songs.flatMap(({ name, warnings = [] }) => warnings.map((warning) => `${name}: ${warning}`)),
  ];
  return (
    <>
      {faults.length > 0 && (
        <Notice kind="warn" problem={{ message: 'This mashup fails quality checks of its sound.', hint: '' }}>
          <ul className="mt-1 list-disc space-y-0.5 pl-4" aria-label="Failed quality checks">
            {faults.map((message) => (
              <li key={message}>
                <MusicText text={message} />
              </li>
            ))}
          </ul>
        </Notice>
      )}
      <Notes messages={notes} label="Notes" />
    </>
  );
}
