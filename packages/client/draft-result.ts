/** The first result of a mashup that has a studio version. */
import type { SupabaseClient } from '@supabase/supabase-js';
import type { MashupStems as WireStems } from '../../schema/mashup-stems.ts';
import { fromDatabaseError } from './errors.ts';
import type { JobResult, MashupJob, MashupStems } from './types.ts';
import { toCamel } from './wire.ts';

/** The draft: the same plan with stems of the classical method. */
export interface DraftResult {
  /** Path of the file in the bucket. */
  path: string;
  /** The report of its rendering, as the renderer gives it. */
  quality: Record<string, unknown>;
  /** What separated its songs. */
  separation: JobResult['separation'];
  /** Its stems, if they were asked for while it was the result. */
  stems: MashupStems | null;
}

interface Row {
  path: string;
  quality: Record<string, unknown>;
  separation: JobResult['separation'] | null;
  stems: WireStems | null;
}

/**
 * Reads the draft that the studio version of a job has replaced; null if the job has no studio version or the draft has been deleted.
 * @throws MashupClientError
 */
export async function readDraft(
  supabase: SupabaseClient,
  job: Pick<MashupJob, 'id' | 'resultPath' | 'planVersion' | 'studioVersion'>,
): Promise<DraftResult | null> {
  if (job.studioVersion?.state !== 'ready' || job.resultPath === null || job.planVersion === null) return null;
  const { data, error, status } = await supabase
    .from('mashup_results')
    .select('path, quality, separation, stems')
    .eq('job_id', job.id)
    .eq('plan_version', job.planVersion)
    .neq('path', job.resultPath)
    .order('created_at', { ascending: false })
    .limit(1)
    .maybeSingle<Row>();
  if (error) throw fromDatabaseError(error, status);
  if (data === null) return null;
  const { path, quality, separation, stems } = data;
  return {
    path,
    quality,
    separation: separation ?? undefined,
    stems: stems && (toCamel(stems) as MashupStems),
  };
}
