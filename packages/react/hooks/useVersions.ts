/** The versions of a mashup. */
import { useEffect, useRef, useState } from 'react';
import { toMashupJob } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { firstIdOf, versionsOf } from '../components/result/versions.ts';
import { useStudio } from '../state/studio.tsx';
import { useJobChanges } from './useJobChanges.ts';

/** Reads all versions of a mashup of the user, oldest first, and keeps them current over Realtime. Until they are read: the mashup alone. */
export function useVersions(job: MashupJob | undefined): MashupJob[] {
  const { supabase } = useStudio();
  const [known, setKnown] = useState<MashupJob[]>([]);
  const firstId = job && firstIdOf(job);
  const latest = useRef(firstId);
  latest.current = firstId;

  const refresh = async (): Promise<void> => {
    if (firstId === undefined) return;
    const read = (column: string) => supabase.from('mashup_jobs').select('*').eq(column, firstId);
    const [first, others] = await Promise.all([read('id'), read('first_id')]);
    // Reads that failed are repeated with the next change, or after a while.
    if (first.error || others.error || latest.current !== firstId) return;
    setKnown([...first.data, ...others.data].map((row: object) => toMashupJob(row)));
  };
  const isSignedIn = useJobChanges(
    (row) => setKnown((before) => patched(before, row)),
    () => void refresh(),
  );
  useEffect(() => {
    if (isSignedIn === true) void refresh();
  }, [isSignedIn, firstId]);

  return job === undefined ? [] : versionsOf(job, known);
}

/** Returns the versions with one row updated. */
const patched = (known: MashupJob[], row: MashupJob): MashupJob[] =>
  known.map((job) => (job.id === row.id && job.version <= row.version ? { ...job, ...row } : job));
