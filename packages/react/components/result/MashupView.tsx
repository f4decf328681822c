import { useMemo, useRef, useState } from 'react';
import { iterateMashup } from '@mashup-engine/client';
import { toMashupSections } from '../../../../music/plan/timeline.ts';
import type { RenderResult } from '../../../../schema.ts';
import { useComparison } from '../../hooks/useComparison.ts';
import type { Comparison } from '../../hooks/useComparison.ts';
import { useStemMix } from '../../hooks/useStemMix.ts';
import { useStore } from '../../state/store.ts';
import { useStudio } from '../../state/studio.tsx';
import { WishOutcomes } from '../wishes/WishOutcomes.tsx';
import { MusicText } from '../common/MusicText.tsx';
import { Notice } from '../common/Notice.tsx';
import { MixerPanel } from '../mixer/MixerPanel.tsx';
import { StemDownloadButtons } from '../mixer/StemDownloadButtons.tsx';
import { JobProgress } from '../progress/JobProgress.tsx';
import { PlanTimeline } from '../timeline/PlanTimeline.tsx';
import { ClaudeCollaboration } from './ClaudeCollaboration.tsx';
import { Decisions } from './Decisions.tsx';
import { ListenPanel } from './ListenPanel.tsx';
import type { PlayerHandle } from './Player.tsx';
import { useShownMashup } from './useShownMashup.ts';
import type { ShownMashup } from './useShownMashup.ts';
import { Warnings } from './Warnings.tsx';

interface Props {
  /** Opens another version. Without it this view follows that version itself. */
  onOpen?: (jobId: string) => void;
  /** Leads to the selection of other songs, from a mashup that was cancelled or has failed. */
  onStartOver?: () => void;
}

/** The current mashup: its progress, then its result, plan and feedback. */
export function MashupView({ onOpen, onStartOver }: Props) {
  const shown = useShownMashup();
  const { job, played, problem, resume } = shown;
  const player = useRef<PlayerHandle>(null);
  const [time, setTime] = useState(0);
  const isMixing = useRef(false);
  const comparison = useComparison(played, isMixing);
  const mixer = useStemMix(comparison.heard);
  isMixing.current = mixer.isOpen;
  if (problem) return <Notice problem={problem} />;
  if (job === undefined) {
    return (
      <p className="mashup-ui panel min-h-64 text-soft" role="status">
        Opening the mashup…
      </p>
    );
  }

  const heard = heardOf(shown, comparison);
  const plan = shown.document?.plan?.masterplan;
  const sections = toMashupSections(plan?.timeline ?? [], plan?.global);
  const open = onOpen ?? resume;
  const title = (played ?? job).title ?? job.songs.map((song) => song.name).join(' × ');
  const progress = job.status !== 'complete' && <JobProgress job={job} onStartOver={onStartOver} onOpen={open} />;
  return (
    <div className="mashup-ui space-y-5">
      <header>
        <h1 className="text-2xl font-semibold sm:text-3xl" data-testid="title">
          {title}
        </h1>
        {played?.concept && (
          <p className="mt-2 max-w-3xl text-soft">
            <MusicText text={played.concept} />
          </p>
        )}
      </header>
      {played !== undefined && progress}
      <ListenPanel
        {...{ shown: heard, comparison, job, title, player }}
        stems={mixer.player}
        sections={sections}
        onTime={setTime}
        onOpen={open}
      />
      {played === undefined && progress}
      {comparison.heard?.resultPath && (
        <MixerPanel mixer={mixer} comparison={comparison} songs={job.songs}>
          {mixer.stems && <StemDownloadButtons job={comparison.heard} stems={mixer.stems} />}
        </MixerPanel>
      )}
      {played === undefined && <Warnings job={job} />}
      <PlanTimeline
        {...{ shown, sections, time }}
        onSeek={(seconds) => player.current?.playFrom(seconds)}
        onOpen={open}
      />
      <PlanDetails shown={shown} onOpen={open} />
    </div>
  );
}

/** What is shown, with the result that is heard. */
function heardOf(shown: ShownMashup, { heard, version, draft }: Comparison): ShownMashup {
  const document =
    version === 'draft' && draft && shown.document
      ? { ...shown.document, quality: draft.quality as Partial<RenderResult> }
      : shown.document;
  return { ...shown, played: heard, document };
}

/** The reasons of the plan, and beside them the form for feedback. */
function PlanDetails({
  shown: { played, document, analyses },
  onOpen,
}: {
  shown: ShownMashup;
  onOpen: (jobId: string) => void;
}) {
  const { supabase, selection } = useStudio();
  const readBy = useStore(selection).wishesReadBy;
  const songs = document?.songs;
  const names = useMemo(
    () =>
      (songs ?? []).map(({ songId, name, artist }, index) => ({ id: songId, name, artist, analysis: analyses[index] })),
    [songs, analyses],
  );
  if (!document?.plan) return null;
  const iterate = async (job: { id: string }, feedback: string): Promise<void> => {
    const { jobId } = await iterateMashup(supabase, job.id, feedback);
    onOpen(jobId);
  };
  return (
    <div className={`grid grid-cols-1 items-start gap-5 ${played ? 'lg:grid-cols-2' : ''}`}>
      <Decisions
        plan={document.plan}
        changes={document.planChanges}
        isNewVersion={document.parentId !== null}
        concept={played?.concept ?? document.plan.creative_vision}
        soundingKey={played?.result?.key}
        corrections={played && document.quality?.quality?.corrections}
      >
        <WishOutcomes outcome={document.planWishes} songs={document.songs} />
      </Decisions>
      {played && (
        <ClaudeCollaboration
          mashupConcept=""
          analysisData={analyses}
          songs={names}
          readBy={document.planSource === 'claude' ? 'planner' : readBy}
          onIterationRequest={(feedback) => iterate(played, feedback)}
        />
      )}
    </div>
  );
}
