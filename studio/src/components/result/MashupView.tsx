import { useEffect, useRef, useState } from 'react';
import { iterateMashup, replayMashup } from '@mashup-engine/client';
import { toMashupSections } from '../../../../music/plan/timeline.ts';
import type { MashupJob, SongAnalysis } from '../../../../schema.ts';
import { useJobDocument } from '../../hooks/useJobDocument.ts';
import { useLibrary } from '../../hooks/useLibrary.ts';
import { useMashupGenerator } from '../../hooks/useMashupGenerator.ts';
import { useResultUrl } from '../../hooks/useResultUrl.ts';
import { toProblem } from '../../state/problem.ts';
import type { Problem } from '../../state/problem.ts';
import { readMaterial } from '../../state/song-selection.ts';
import { useStudio } from '../../state/studio.tsx';
import { untilDone } from '../../state/retry-until-done.ts';
import { ClaudeCollaboration } from './ClaudeCollaboration.tsx';
import { Decisions } from './Decisions.tsx';
import { Icon } from '../common/icons.tsx';
import { JobProgress } from '../progress/JobProgress.tsx';
import { MashupTimeline } from '../timeline/MashupTimeline.tsx';
import { Notice } from '../common/Notice.tsx';
import { Player } from './Player.tsx';
import type { PlayerHandle } from './Player.tsx';
import { ResultFacts } from './ResultFacts.tsx';
import { Versions } from './Versions.tsx';

/** All versions of a mashup, oldest first: jobs that go back to the same first one. */
function familyOf(job: MashupJob, mashups: MashupJob[]): MashupJob[] {
  const byId = new Map([...mashups, job].map((one) => [one.id, one]));
  const rootOf = (one: MashupJob): string => {
    const parent = one.parent_id === null ? undefined : byId.get(one.parent_id);
    return parent === undefined ? one.id : rootOf(parent);
  };
  const root = rootOf(job);
  return [...byId.values()]
    .filter((one) => rootOf(one) === root)
    .sort((a, b) => a.created_at.localeCompare(b.created_at));
}

/** What is heard: the mashup itself, or until it is done the version that it comes from. */
function heardOf(job: MashupJob, family: MashupJob[]): MashupJob | undefined {
  if (job.status === 'complete') return job;
  const parent = family.find((one) => one.id === job.parent_id);
  return parent === undefined ? undefined : heardOf(parent, family);
}

function useAnalyses(job: MashupJob | undefined): (SongAnalysis | undefined)[] {
  const { supabase } = useStudio();
  const [analyses, setAnalyses] = useState<(SongAnalysis | undefined)[]>([]);
  const id = job?.id;
  useEffect(() => {
    if (job === undefined) return;
    return untilDone(async (isWanted) => {
      const material = await readMaterial(supabase, job.id);
      if (isWanted()) setAnalyses(job.songs.map((song) => material.analyses?.[song.song_id]));
      return true;
    });
    // The songs of a job do not change.
  }, [supabase, id]);
  return analyses;
}

/** What a listener should know of how a mashup came to be: a song left out, a plan by rules. */
function Warnings({ job }: { job: MashupJob }) {
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

/** One mashup: on its way, and then to hear, to read and to change. */
export function MashupView({
  onOpen,
  onStartOver,
}: {
  onOpen?: (jobId: string) => void;
  /** Leads to other songs, from a mashup that was not made. */
  onStartOver?: () => void;
}) {
  const { supabase } = useStudio();
  const { job: current, document, problem, resume } = useMashupGenerator();
  // Until another version is read, the one before stays: the player goes on.
  const latest = useRef(current);
  latest.current = current ?? latest.current;
  const job = latest.current;
  const { mashups = [] } = useLibrary();
  const player = useRef<PlayerHandle>(null);
  const [time, setTime] = useState(0);
  const family = job === undefined ? [] : familyOf(job, mashups);
  const heard = job === undefined ? undefined : heardOf(job, family);
  const heardDocument = useJobDocument(heard);
  const { url, renew, problem: linkProblem } = useResultUrl(heard);
  const analyses = useAnalyses(heard);
  const [refusal, setRefusal] = useState<Problem>();

  if (problem) return <Notice problem={problem} />;
  if (job === undefined)
    return (
      <p className="panel min-h-64 text-soft" role="status">
        Opening the mashup…
      </p>
    );

  const open = onOpen ?? resume;
  const iterate = async (feedback: string): Promise<void> => {
    if (heard === undefined) return;
    const { jobId } = await iterateMashup(supabase, heard.id, feedback);
    open(jobId);
  };
  const renderAgain = async (id: string): Promise<void> => {
    setRefusal(undefined);
    try {
      await replayMashup(supabase, id, 'rendering');
      open(id);
    } catch (error) {
      setRefusal(toProblem(error));
    }
  };
  const shown = heard === undefined ? document : heardDocument;
  const sections = toMashupSections(shown?.plan?.masterplan.timeline ?? []);
  const title = (heard ?? job).title ?? job.songs.map((song) => song.name).join(' × ');

  return (
    <div className="space-y-5">
      <header>
        <h1 className="text-2xl font-semibold sm:text-3xl" data-testid="title">
          {title}
        </h1>
        {heard?.concept && <p className="mt-2 max-w-3xl text-soft">{heard.concept}</p>}
      </header>
      {job.status !== 'complete' && <JobProgress job={job} onStartOver={onStartOver} />}
      {heard && (
        <section className="panel space-y-5" aria-label="Listen" data-testid="result">
          {heard.result_path === null ? (
            <Notice
              kind="warn"
              problem={{
                message: 'The file of this mashup has expired.',
                hint: 'The plan is kept: it can be rendered again.',
              }}
            >
              <button type="button" className="button mt-3" onClick={() => void renderAgain(heard.id)}>
                <Icon name="retry" />
                Render it again
              </button>
            </Notice>
          ) : (
            <Player
              ref={player}
              src={url}
              title={title}
              peaks={heardDocument?.quality?.waveform?.peaks ?? []}
              durationSec={heard.result?.duration_sec ?? 0}
              onTime={setTime}
              onBroken={renew}
            />
          )}
          {(refusal ?? linkProblem) && <Notice problem={(refusal ?? linkProblem) as Problem} />}
          {family.length > 1 && <Versions family={family} shown={job.id} heard={heard.id} onOpen={open} />}
          <ResultFacts job={heard} source={heardDocument?.plan_source ?? null} />
          <Warnings job={heard} />
        </section>
      )}
      {heard === undefined && <Warnings job={job} />}
      {sections.length > 0 && (
        <section className="panel" aria-label="Timeline">
          <h2 className="mb-2 text-lg font-semibold">{heard === undefined ? 'The plan' : 'How it is made'}</h2>
          <MashupTimeline
            timeline={sections}
            songs={(heard ?? job).songs}
            currentTime={heard === undefined ? undefined : time}
            onSeek={(seconds) => player.current?.seek(seconds)}
          />
        </section>
      )}
      {shown?.plan && (
        <div className={`grid items-start gap-5 ${heard ? 'lg:grid-cols-2' : ''}`}>
          <Decisions
            plan={shown.plan}
            changes={shown.plan_changes}
            concept={heard?.concept ?? shown.plan.creative_vision}
          />
          {heard && <ClaudeCollaboration mashupConcept="" analysisData={analyses} onIterationRequest={iterate} />}
        </div>
      )}
    </div>
  );
}
