/** Saves the stems of a mashup: one, or all of them in a ZIP file. */
import { useState } from 'react';
import { downloadPart, stemFileName } from '@mashup-engine/client';
import type { MashupJob, MashupStemFile, ReadyStems } from '@mashup-engine/client';
import { saveBlob } from '../../save-file.ts';
import { toProblem } from '../../state/problem.ts';
import type { Problem } from '../../state/problem.ts';
import { useStudio } from '../../state/studio.tsx';
import { fileName } from '../../texts.ts';
import type { StemSource } from '../../audio/stems/zip-stems.ts';

export interface StemDownloads {
  /** Saves all stems in a ZIP file. */
  downloadAll(): Promise<void>;
  /** Saves one stem as FLAC. */
  downloadOne(file: MashupStemFile): Promise<void>;
  /** Share of the bytes that have been read, 0..1; undefined while nothing is downloaded. */
  progress: number | undefined;
  problem: Problem | undefined;
}

/** Downloads of the stems of a job's result, in files that are named after its songs. */
export function useStemDownloads(job: MashupJob, stems: ReadyStems): StemDownloads {
  const { supabase } = useStudio();
  const [progress, setProgress] = useState<number>();
  const [problem, setProblem] = useState<Problem>();
  const readPart: StemSource['readPart'] = (file, index) => downloadPart(supabase, file, index);

  const attempt = async (make: () => Promise<{ blob: Blob; name: string }>): Promise<void> => {
    setProblem(undefined);
    setProgress(0);
    try {
      const { blob, name } = await make();
      saveBlob(blob, name);
    } catch (error) {
      setProblem(toProblem(error));
    } finally {
      setProgress(undefined);
    }
  };

  return {
    downloadAll: () =>
      attempt(async () => {
        const { zipStems } = await import('../../audio/stems/zip-stems.ts');
        const blob = await zipStems({ job, stems, readPart, onProgress: setProgress });
        return { blob, name: fileName(`${job.title ?? 'Mashup'} stems`, 'zip') };
      }),
    downloadOne: (file) =>
      attempt(async () => {
        const { readStemFile } = await import('../../audio/stems/zip-stems.ts');
        let read = 0;
        const bytes = await readStemFile({ stems, readPart }, file, (part) => setProgress((read += part) / file.bytes));
        return { blob: new Blob([bytes], { type: 'audio/flac' }), name: stemFileName(job, file, 'flac') };
      }),
    progress,
    problem,
  };
}
