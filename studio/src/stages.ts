/** The stages that the page shows. */
import { REPLAY_STAGES } from '../../schema/stages.ts';

/** Stages in which a job is worked on, in order. */
export const WORK_STAGES = REPLAY_STAGES.filter((stage) => stage !== 'queued');
