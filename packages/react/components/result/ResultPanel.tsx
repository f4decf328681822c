import { useState } from 'react';
import type { Ref } from 'react';
import { replayMashup } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import type { JobDocument } from '../../hooks/useJobDocument.ts';
import { useResultUrl } from '../../hooks/useResultUrl.ts';
import { toProblem } from '../../state/problem.ts';
import type { Problem } from '../../state/problem.ts';
import { useStudio } from '../../state/studio.tsx';
import { Icon } from '../common/icons.tsx';
import { Notice } from '../common/Notice.tsx';
import { Player } from './Player.tsx';
import type { PlayerHandle } from './Player.tsx';
import { ResultFacts } from './ResultFacts.tsx';
import { Versions } from './Versions.tsx';
import { Warnings } from './Warnings.tsx';

/** A complete mashup: player, versions, properties and downloads. */
export function ResultPanel({
  played,
  document,
  versions,
  shownId,
  title,
  player,
  onTime,
  onOpen,
}: {
  /** The version that is played. */
  played: MashupJob;
  /** Its document; undefined until it has been read. */
  document: JobDocument | undefined;
  versions: MashupJob[];
  /** Id of the job that the page shows. */
  shownId: string;
  title: string;
  player: Ref<PlayerHandle>;
  /** Receives the position of the player in seconds. */
  onTime: (seconds: number) => void;
  onOpen: (jobId: string) => void;
}) {
  const { url, renew, problem: linkProblem } = useResultUrl(played);
  const [renderAgain, refusal] = useRenderAgain(onOpen);
  const problem = refusal ?? linkProblem;
  return (
    <section className="panel space-y-5" aria-label="Listen" data-testid="result">
      {played.takedownReason !== null ? (
        <Notice kind="warn" problem={{ message: 'This mashup was taken down.', hint: played.takedownReason }} />
      ) : played.resultPath === null ? (
        <ExpiredNotice onRender={() => void renderAgain(played.id)} />
      ) : (
        <Player
          ref={player}
          src={url}
          title={title}
          peaks={document?.quality?.waveform?.peaks ?? []}
          durationSec={played.result?.durationSec ?? 0}
          onTime={onTime}
          onBroken={renew}
        />
      )}
      {problem && <Notice problem={problem} />}
      {versions.length > 1 && <Versions versions={versions} shownId={shownId} playedId={played.id} onOpen={onOpen} />}
      <ResultFacts job={played} source={document?.planSource ?? null} />
      <Warnings job={played} />
    </section>
  );
}

function ExpiredNotice({ onRender }: { onRender: () => void }) {
  return (
    <Notice
      kind="warn"
      problem={{
        message: 'The file of this mashup has expired.',
        hint: 'Its plan is kept, so it can be rendered again.',
      }}
    >
      <button type="button" className="button mt-3" onClick={onRender}>
        <Icon name="retry" />
        Render it again
      </button>
    </Notice>
  );
}

/** Replays a job from rendering and opens it. */
function useRenderAgain(onOpen: (jobId: string) => void): [(id: string) => Promise<void>, Problem | undefined] {
  const { supabase } = useStudio();
  const [problem, setProblem] = useState<Problem>();
  const renderAgain = async (id: string): Promise<void> => {
    setProblem(undefined);
    try {
      await replayMashup(supabase, id, 'rendering');
      onOpen(id);
    } catch (error) {
      setProblem(toProblem(error));
    }
  };
  return [renderAgain, problem];
}
