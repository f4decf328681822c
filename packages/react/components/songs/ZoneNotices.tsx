import type { Problem } from '../../state/problem.ts';
import { useStore } from '../../state/store.ts';
import { useStudio } from '../../state/studio.tsx';
import { Notice } from '../common/Notice.tsx';
import { waitingText } from '../progress/waiting-text.ts';
import type { FileIntake } from './useSongSelection.ts';

/** Problems of the zone: refused files, the analysis of the songs, and the start of the mashup. */
export function ZoneNotices({
  intake,
  generatorProblem,
}: {
  intake: FileIntake;
  generatorProblem: Problem | undefined;
}) {
  const { draft, problem } = useStore(useStudio().selection);
  // Each draft waits for a slot for a moment: that is no reason for a notice.
  const waiting = draft && draft.waitingOn !== 'slot' ? waitingText(draft) : undefined;
  return (
    <div aria-live="polite" className="space-y-2 empty:hidden">
      {intake.refusals.map((refusal) => (
        <Notice key={refusal.message} problem={refusal} onDismiss={() => intake.dismiss(refusal)} />
      ))}
      {problem && <Notice problem={problem} />}
      {waiting !== undefined && <Notice kind="warn" problem={{ message: waiting, hint: 'It goes on by itself.' }} />}
      {generatorProblem && <Notice problem={generatorProblem} />}
    </div>
  );
}
