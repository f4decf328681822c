import { useState } from 'react';
import type { MashupJob } from '@mashup-engine/client';
import type { MashupGenerator } from '../../hooks/useMashupGenerator.ts';
import { useOnline } from '../../hooks/useOnline.ts';
import { needsOtherWords, toProblem } from '../../state/problem.ts';
import type { Problem } from '../../state/problem.ts';
import { Icon } from '../common/icons.tsx';
import { Notice } from '../common/Notice.tsx';

/**
 * Cancels a live job, retries a stopped one, or leads to other songs; and shows whether the page is connected. A version that would
 * fail again leads to the one that it was to change.
 */
export function JobActions({
  job,
  generator: { cancel, retry, isLive },
  onStartOver,
  onOpen,
}: {
  job: MashupJob;
  generator: Pick<MashupGenerator, 'cancel' | 'retry' | 'isLive'>;
  onStartOver?: () => void;
  onOpen: (jobId: string) => void;
}) {
  const [problem, setProblem] = useState<Problem>();
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    setProblem(undefined);
    await work().catch((error: unknown) => setProblem(toProblem(error)));
  };
  const isTakenDown = job.takedownReason !== null;
  const isStopped = job.status === 'failed' || job.status === 'cancelled';
  const isRepeatable = !needsOtherWords(job.errorCode);
  const { parentId } = job;
  return (
    <>
      {problem && <Notice problem={problem} />}
      {job.takedownReason !== null && (
        <Notice kind="warn" problem={{ message: 'This mashup was taken down.', hint: job.takedownReason }} />
      )}
      <div className="flex flex-wrap items-center gap-3">
        {job.status === 'processing' && (
          <button type="button" className="button" onClick={() => void attempt(cancel)}>
            Cancel
          </button>
        )}
        {isStopped && !isTakenDown && isRepeatable && (
          <button type="button" className="button-primary" onClick={() => void attempt(retry)}>
            <Icon name="retry" />
            Retry
          </button>
        )}
        {isStopped && !isRepeatable && parentId !== null && (
          <button type="button" className="button-primary" onClick={() => onOpen(parentId)}>
            Ask for something else
          </button>
        )}
        {isStopped && onStartOver && (
          <button type="button" className="button" onClick={onStartOver}>
            {isRepeatable || parentId !== null ? 'Choose other songs' : 'Start again with other wishes'}
          </button>
        )}
        <ConnectionStatus isLive={isLive} />
      </div>
    </>
  );
}

function ConnectionStatus({ isLive }: { isLive: boolean }) {
  const isOnline = useOnline();
  return (
    <span className="ml-auto flex items-center gap-2 text-xs text-soft">
      <span aria-hidden="true" className={`h-2 w-2 rounded-full ${isOnline && isLive ? 'bg-good' : 'bg-warn'}`} />
      {!isOnline ? 'Offline' : isLive ? 'Live' : 'Connecting'}
    </span>
  );
}
