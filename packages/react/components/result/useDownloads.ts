/** Ways to save and share a result. */
import { useState } from 'react';
import { signResultUrl } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import type { OutputFormat } from '../../../../schema.ts';
import { saveBlob, saveLink } from '../../save-file.ts';
import { toProblem } from '../../state/problem.ts';
import type { Problem } from '../../state/problem.ts';
import { useStudio } from '../../state/studio.tsx';
import { fileName } from '../../texts.ts';

export interface Downloads {
  /** Saves the result as it was rendered. */
  download(): Promise<void>;
  /** Converts the result in the browser and saves it. */
  downloadAs(format: OutputFormat): Promise<void>;
  /** Copies a link to the result. */
  copyLink(): Promise<void>;
  /** The format that is being encoded. */
  encoding: OutputFormat | undefined;
  isCopied: boolean;
  problem: Problem | undefined;
}

/** Downloads of a job's result, in files that are named after its title. */
export function useDownloads(job: MashupJob, title: string, format: OutputFormat): Downloads {
  const { supabase } = useStudio();
  const [problem, setProblem] = useState<Problem>();
  const [isCopied, setIsCopied] = useState(false);
  const [encoding, setEncoding] = useState<OutputFormat>();

  const attempt = async (work: () => Promise<void>): Promise<void> => {
    setProblem(undefined);
    await work().catch((error: unknown) => setProblem(toProblem(error)));
  };
  const convertTo = async (target: OutputFormat): Promise<void> => {
    setEncoding(target);
    try {
      const { convert } = await import('../../audio/convert.ts');
      saveBlob(await convert(await signResultUrl(supabase, job), target, title), fileName(title, target));
    } finally {
      setEncoding(undefined);
    }
  };

  return {
    download: () =>
      attempt(async () => {
        const name = fileName(title, format);
        saveLink(await signResultUrl(supabase, job, { download: name }), name);
      }),
    downloadAs: (target) => attempt(() => convertTo(target)),
    copyLink: () =>
      attempt(async () => {
        await navigator.clipboard.writeText(await signResultUrl(supabase, job));
        setIsCopied(true);
      }),
    encoding,
    isCopied,
    problem,
  };
}
