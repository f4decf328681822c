import { useState } from 'react';
import { replayMashup } from '@mashup-engine/client';
import { toProblem } from '../../state/problem.ts';
import type { Problem } from '../../state/problem.ts';
import { useStudio } from '../../state/studio.tsx';
import { Icon } from '../common/icons.tsx';
import { Notice } from '../common/Notice.tsx';

/** Says that the file of a mashup has expired. A button replays the job from rendering and opens it. */
export function ExpiredNotice({ jobId, onOpen }: { jobId: string; onOpen: (jobId: string) => void }) {
  const { supabase } = useStudio();
  const [problem, setProblem] = useState<Problem>();
  const renderAgain = async (): Promise<void> => {
    setProblem(undefined);
    try {
      await replayMashup(supabase, jobId, 'rendering');
      onOpen(jobId);
    } catch (error) {
      setProblem(toProblem(error));
    }
  };
  return (
    <>
      <Notice
        kind="warn"
        problem={{
          message: 'The file of this mashup has expired.',
          hint: 'Its plan is kept, so it can be rendered again.',
        }}
      >
        <button type="button" className="button mt-3" onClick={() => void renderAgain()}>
          <Icon name="retry" />
          Render it again
        </button>
      </Notice>
      {problem && <Notice problem={problem} />}
    </>
  );
}
