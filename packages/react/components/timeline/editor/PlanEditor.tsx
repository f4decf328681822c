import { useEffect, useRef, useState } from 'react';
import { editMashup } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { describeEdits } from '../../../../../music/edits/describe-edit.ts';
import { DEFAULT_PLAN_LIMITS } from '../../../../../music/plan/limits.ts';
import { mainSong } from '../../../../../music/revision/plan-edits.ts';
import type { AnalyzedSong, Plan, PlanEdit, PlanLimits } from '../../../../../schema.ts';
import { usePlanEdits } from '../../../hooks/usePlanEdits.ts';
import type { PlanEdits } from '../../../hooks/usePlanEdits.ts';
import { readAnalyses } from '../../../state/analyses.ts';
import { toProblem } from '../../../state/problem.ts';
import type { Problem } from '../../../state/problem.ts';
import { retryUntilDone } from '../../../state/retry-until-done.ts';
import { useStudio } from '../../../state/studio.tsx';
import { forgetUnsentEdits } from '../../../state/unsent-edits.ts';
import { Icon } from '../../common/icons.tsx';
import { Notice } from '../../common/Notice.tsx';
import { SongRoles } from '../../songs/SongRoles.tsx';
import { SectionEditor } from './SectionEditor.tsx';
import { SectionStrip } from './SectionStrip.tsx';

interface Props {
  /** A complete job whose plan is edited. */
  job: MashupJob;
  plan: Plan;
  /** Receives the id of the new version. */
  onOpen: (jobId: string) => void;
}

/** What the checks of a plan need: the songs with their analyses, and the limits of the engine. */
type Material = { songs: AnalyzedSong[]; limits: PlanLimits };

/** Edits of a plan by hand. It offers what the songs allow, and renders the edited plan as a new version. */
export default function PlanEditor(props: Props) {
  const material = useMaterial(props.job);
  if (!material)
    return (
      <p className="text-sm text-soft" role="status">
        Loading what the songs allow…
      </p>
    );
  return <Editor key={`${props.job.id} ${props.job.planVersion}`} {...props} {...material} />;
}

function useMaterial(job: MashupJob): Material | undefined {
  const { supabase } = useStudio();
  const [material, setMaterial] = useState<Material>();
  useEffect(
    () =>
      retryUntilDone(async (isWanted) => {
        const { analyses, limits } = await readAnalyses(supabase, job.id);
        const songs = job.songs.flatMap(({ songId, name, artist }) => {
          const analysis = analyses?.[songId];
          return analysis ? [{ song_id: songId, name, artist, analysis }] : [];
        });
        if (isWanted()) setMaterial({ songs, limits: { ...DEFAULT_PLAN_LIMITS, ...limits } });
        return true;
      }),
    // The songs of a job do not change.
    [supabase, job.id],
  );
  return material;
}

function Editor({ job, plan, onOpen, songs, limits }: Props & Material) {
  const edits = usePlanEdits({ jobId: job.id, planVersion: job.planVersion ?? 0, plan, songs, limits });
  const [chosen, setChosen] = useState(0);
  const place = useRef(0);
  const found = edits.sections.findIndex(({ index }) => index === chosen);
  // In the place of a section that was removed comes its neighbour.
  place.current = found >= 0 ? found : Math.min(place.current, edits.sections.length - 1);
  const shown = edits.sections[place.current];
  const rename = (roles: { sings?: string; plays?: string }): void => {
    const now = rolesOf(edits.plan);
    const sings = roles.sings === now.sings ? undefined : roles.sings;
    const plays = roles.plays === now.plays ? undefined : roles.plays;
    // What the other song did goes to the song that is replaced, so that both stay in the mashup.
    if ((sings !== undefined && sings === now.plays) || (plays !== undefined && plays === now.sings))
      edits.edit({ kind: 'roles', sings: sings ?? now.plays, plays: plays ?? now.sings });
    else if (sings !== undefined || plays !== undefined) edits.edit({ kind: 'roles', sings, plays });
  };
  return (
    <div className="mashup-ui space-y-4" data-testid="plan-editor">
      <Toolbar edits={edits} />
      <SectionStrip {...{ edits, songs: job.songs, onChoose: setChosen }} chosen={shown?.index ?? 0} />
      <p
        role="status"
        aria-live="polite"
        data-testid="edit-refusal"
        className={`min-h-5 text-sm ${edits.refusal === '' ? 'text-soft' : 'font-medium text-warn'}`}
      >
        {edits.refusal || 'Drag an edge, or focus it and use the arrow keys.'}
      </p>
      {shown && <SectionEditor section={shown} edits={edits} songs={job.songs} />}
      <SongRoles songs={job.songs} roles={rolesOf(edits.plan)} onChange={rename} isRequired />
      <EditList edits={describeEdits(plan, edits.edits, { songs, limits })} />
      <RenderButton job={job} edits={edits.edits} onOpen={onOpen} />
    </div>
  );
}

const rolesOf = (plan: Plan): { sings?: string; plays?: string } => ({
  sings: mainSong(plan, 'vocals'),
  plays: mainSong(plan, 'drums'),
});

/** Undo, redo and reset. They can be focused where they do nothing, so that the last undo keeps the focus. */
function Toolbar({ edits }: { edits: PlanEdits }) {
  useUndoKeys(edits);
  return (
    <div className="flex flex-wrap gap-1" role="group" aria-label="Edits">
      <button
        type="button"
        className="button aria-disabled:opacity-40"
        aria-disabled={!edits.canUndo}
        aria-keyshortcuts="Control+Z"
        onClick={edits.undo}
      >
        <Icon name="undo" />
        Undo
      </button>
      <button
        type="button"
        className="button aria-disabled:opacity-40"
        aria-disabled={!edits.canRedo}
        aria-keyshortcuts="Control+Shift+Z"
        onClick={edits.redo}
      >
        <Icon name="redo" />
        Redo
      </button>
      <button
        type="button"
        className="button aria-disabled:opacity-40"
        aria-disabled={edits.edits.length === 0}
        onClick={() => edits.edits.length > 0 && edits.reset()}
      >
        Reset
      </button>
    </div>
  );
}

/** Ctrl or ⌘ with Z undoes, with Shift or as Y redoes, except in a text. */
function useUndoKeys({ undo, redo }: PlanEdits): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const key = event.key.toLowerCase();
      const isText = event.target instanceof Element && event.target.matches('textarea, input:not([type=range])');
      if (!(event.ctrlKey || event.metaKey) || event.altKey || isText || (key !== 'z' && key !== 'y')) return;
      event.preventDefault();
      if (key === 'y' || event.shiftKey) redo();
      else undo();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  });
}

/** The edits in words. */
function EditList({ edits }: { edits: string[] }) {
  if (edits.length === 0) return <p className="text-sm text-soft">Nothing is changed yet.</p>;
  return (
    <div>
      <h3 className="label">Your edits</h3>
      <ol className="mt-1 list-decimal space-y-0.5 pl-5 text-sm" data-testid="edit-list">
        {edits.map((text, at) => (
          <li key={at}>{text}</li>
        ))}
      </ol>
    </div>
  );
}

function RenderButton({ job, edits, onOpen }: { job: MashupJob; edits: PlanEdit[]; onOpen: (jobId: string) => void }) {
  const { supabase } = useStudio();
  const [isSending, setIsSending] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const render = async (): Promise<void> => {
    setIsSending(true);
    setProblem(undefined);
    try {
      const { jobId } = await editMashup(supabase, job.id, job.planVersion ?? 0, edits);
      forgetUnsentEdits(job.id);
      onOpen(jobId);
    } catch (error) {
      setProblem(toProblem(error));
    } finally {
      setIsSending(false);
    }
  };
  return (
    <>
      <button
        type="button"
        className="button-primary"
        disabled={edits.length === 0 || isSending}
        onClick={() => void render()}
      >
        <Icon name="spark" />
        {isSending ? 'Sending…' : 'Render this version'}
      </button>
      {problem && <Notice problem={problem} />}
    </>
  );
}
