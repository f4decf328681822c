import type { MashupJob } from '@mashup-engine/client';
import { STAGE_NAMES, STAGES, WORKING_STAGES } from '../../../../schema/stages.ts';
import type { Stage } from '../../../../schema/stages.ts';
import { Icon } from '../common/icons.tsx';

type StepState = 'done' | 'now' | 'ahead' | 'stopped';

function stateOf(step: Stage, job: MashupJob): StepState {
  const isStopped = job.status === 'failed' || job.status === 'cancelled';
  const reached = STAGES.indexOf(isStopped ? (job.stoppedStage ?? 'queued') : job.stage);
  const place = STAGES.indexOf(step);
  if (place < reached) return 'done';
  if (place > reached) return 'ahead';
  return isStopped ? 'stopped' : 'now';
}

const STATE_CLASSES: Record<StepState, string> = {
  done: 'border-good bg-good/15 text-good',
  now: 'border-accent bg-accent text-on-accent',
  ahead: 'border-line bg-panel text-soft',
  stopped: 'border-bad bg-bad/15 text-bad',
};

const STATE_TEXTS: Record<StepState, string> = { done: ', done', now: ', now', ahead: '', stopped: ', stopped here' };

/** The stages of a job, and how far it has come. */
export function StageTrack({ job }: { job: MashupJob }) {
  return (
    <ol
      className="mashup-ui grid auto-cols-fr grid-flow-col"
      aria-label="Stages"
      data-testid="stage-track"
      data-stage={job.stage}
    >
      {WORKING_STAGES.map((step, index) => {
        const state = stateOf(step, job);
        return (
          <li
            key={step}
            aria-current={state === 'now' ? 'step' : undefined}
            className="relative flex flex-col items-center gap-1.5 text-center"
          >
            {index > 0 && (
              <span
                aria-hidden="true"
                className={`absolute left-[calc(-50%+1.25rem)] right-[calc(50%+1.25rem)] top-4 h-0.5 -translate-y-1/2 rounded ${state === 'ahead' ? 'bg-line' : 'bg-good'}`}
              />
            )}
            <span
              className={`relative grid h-8 w-8 place-items-center rounded-full border-2 text-sm font-semibold ${STATE_CLASSES[state]}`}
            >
              {state === 'done' ? <Icon name="check" /> : state === 'stopped' ? <Icon name="close" /> : index + 1}
              {state === 'now' && (
                <span
                  aria-hidden="true"
                  className="absolute -inset-1.5 animate-ping rounded-full border-2 border-accent/50"
                />
              )}
            </span>
            <span className={`text-[11px] sm:text-xs ${state === 'ahead' ? 'text-soft' : 'font-medium'}`}>
              {STAGE_NAMES[step]}
              <span className="sr-only">{STATE_TEXTS[state]}</span>
            </span>
          </li>
        );
      })}
    </ol>
  );
}
