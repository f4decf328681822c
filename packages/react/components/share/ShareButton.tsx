import { useState } from 'react';
import type { MashupJob } from '@mashup-engine/client';
import { toProblem } from '../../state/problem.ts';
import type { Problem } from '../../state/problem.ts';
import { useStudio } from '../../state/studio.tsx';
import { Icon } from '../common/icons.tsx';
import { Notice } from '../common/Notice.tsx';
import type { ShareDialog } from './ShareDialog.tsx';

/** Opens the dialog of a mashup's public link. Nothing where the app has no pages of shared mashups. */
export function ShareButton({ job }: { job: MashupJob }) {
  const { shareUrl } = useStudio();
  const [Dialog, setDialog] = useState<typeof ShareDialog>();
  const [isOpen, setIsOpen] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  if (shareUrl === null || job.resultPath === null) return null;
  const open = async (): Promise<void> => {
    setProblem(undefined);
    try {
      const loaded = await import('./ShareDialog.tsx');
      setDialog(() => loaded.ShareDialog);
      setIsOpen(true);
    } catch (error) {
      setProblem(toProblem(error));
    }
  };
  return (
    <>
      <button type="button" className="button" aria-haspopup="dialog" onClick={() => void open()}>
        <Icon name="share" />
        {job.sharedAt === null ? 'Share' : 'Shared'}
      </button>
      {problem && <Notice problem={problem} />}
      {Dialog && isOpen && <Dialog job={job} shareUrl={shareUrl} onClose={() => setIsOpen(false)} />}
    </>
  );
}
