/** The data of a mashup's page. */
import { useEffect, useRef, useState } from 'react';
import type { MashupJob } from '@mashup-engine/client';
import type { SongAnalysis } from '../../../../schema.ts';
import { useJobDocument } from '../../hooks/useJobDocument.ts';
import type { JobDocument } from '../../hooks/useJobDocument.ts';
import { useMashupGenerator } from '../../hooks/useMashupGenerator.ts';
import type { MashupGenerator } from '../../hooks/useMashupGenerator.ts';
import { useVersions } from '../../hooks/useVersions.ts';
import { readAnalyses } from '../../state/analyses.ts';
import { retryUntilDone } from '../../state/retry-until-done.ts';
import { useStudio } from '../../state/studio.tsx';
import { playableVersion } from './versions.ts';

export interface ShownMashup extends Pick<MashupGenerator, 'live' | 'problem' | 'resume'> {
  /** The followed job. While another version is being read, the previous one. */
  job: MashupJob | undefined;
  /** All versions of the job, oldest first. */
  versions: MashupJob[];
  /** The version that is played: the job, or its nearest complete ancestor. */
  played: MashupJob | undefined;
  /** The document of `played`, or of the job while there is nothing to play. */
  document: JobDocument | undefined;
  /** Analyses of the songs of `played`, in their order. */
  analyses: (SongAnalysis | undefined)[];
}

/** Reads the followed job, its versions, and the document of the version that is shown. */
export function useShownMashup(): ShownMashup {
  const { job: current, document, live, problem, resume } = useMashupGenerator();
  // The previous version stays until the next one has been read, so that the player continues.
  const latest = useRef(current);
  latest.current = current ?? latest.current;
  const job = latest.current;
  const versions = useVersions(job);
  const played = job === undefined ? undefined : playableVersion(job, versions);
  const playedDocument = useJobDocument(played);
  const analyses = useAnalyses(played);
  return {
    job,
    versions,
    played,
    document: played === undefined ? document : playedDocument,
    analyses,
    live,
    problem,
    resume,
  };
}

function useAnalyses(job: MashupJob | undefined): (SongAnalysis | undefined)[] {
  const { supabase } = useStudio();
  const [analyses, setAnalyses] = useState<(SongAnalysis | undefined)[]>([]);
  const id = job?.id;
  useEffect(() => {
    if (job === undefined) return;
    return retryUntilDone(async (isWanted) => {
      const read = await readAnalyses(supabase, job.id);
      if (isWanted()) setAnalyses(job.songs.map((song) => read.analyses?.[song.songId]));
      return true;
    });
    // The songs of a job do not change.
  }, [supabase, id]);
  return analyses;
}
