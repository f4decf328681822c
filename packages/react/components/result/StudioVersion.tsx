import type { MashupJob } from '@mashup-engine/client';
import type { Comparison } from '../../hooks/useComparison.ts';
import { CompareVersions } from './CompareVersions.tsx';
import { StudioVersionProgress } from './StudioVersionProgress.tsx';

/** The studio version of a complete job: how far it is, then the choice between it and the draft. */
export function StudioVersion({ job, comparison }: { job: MashupJob; comparison: Comparison }) {
  if (comparison.draft !== undefined) return <CompareVersions job={job} comparison={comparison} />;
  return <StudioVersionProgress job={job} />;
}
