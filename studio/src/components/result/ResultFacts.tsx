import { useState } from 'react';
import { signResultUrl } from '@mashup-engine/client';
import type { MashupJob, OutputFormat } from '../../../../schema.ts';
import { toProblem } from '../../state/problem.ts';
import type { Problem } from '../../state/problem.ts';
import { useStudio } from '../../state/studio.tsx';
import { clock, decimal, fileName, megabytes } from '../../texts.ts';
import { Icon } from '../common/icons.tsx';
import { Notice } from '../common/Notice.tsx';

const KEEP_BLOB_MS = 60_000;
/** What a result can be exchanged for: an MP3 gains nothing in a larger file. */
const OTHER_FORMATS: Record<OutputFormat, readonly OutputFormat[]> = {
  wav: ['mp3', 'flac'],
  flac: ['mp3', 'wav'],
  mp3: [],
};
const SOURCE_WORDS = { claude: 'Claude', rules: 'Built-in rules' } as const;

/** What the file is, and the ways to take it along: download under its title, or a link that lives an hour. */
export function ResultFacts({ job, source }: { job: MashupJob; source: 'claude' | 'rules' | null }) {
  const { supabase } = useStudio();
  const [problem, setProblem] = useState<Problem>();
  const [isCopied, setIsCopied] = useState(false);
  const [encoding, setEncoding] = useState<OutputFormat>();
  const { result } = job;
  if (result === null) return null;
  const title = job.title ?? 'Mashup';
  const name = fileName(title, result.format);

  const attempt = async (work: () => Promise<void>): Promise<void> => {
    setProblem(undefined);
    await work().catch((error: unknown) => setProblem(toProblem(error)));
  };
  const save = (href: string, as: string): void => {
    const link = document.createElement('a');
    link.href = href;
    link.download = as;
    link.click();
  };
  const download = async (): Promise<void> => save(await signResultUrl(supabase, job, { download: name }), name);
  const downloadAs = async (format: OutputFormat): Promise<void> => {
    setEncoding(format);
    try {
      const { convert } = await import('../../audio/convert.ts');
      const href = URL.createObjectURL(await convert(await signResultUrl(supabase, job), format, title));
      save(href, fileName(title, format));
      // The browser has begun to save it by then.
      setTimeout(() => URL.revokeObjectURL(href), KEEP_BLOB_MS);
    } finally {
      setEncoding(undefined);
    }
  };
  const share = async (): Promise<void> => {
    await navigator.clipboard.writeText(await signResultUrl(supabase, job));
    setIsCopied(true);
  };

  const facts: [string, string][] = [
    ['Length', clock(result.duration_sec)],
    ['Tempo', `${decimal(result.bpm)} bpm`],
    ['Key', result.key],
    ['Loudness', `${decimal(result.loudness_lufs)} LUFS`],
    ['True peak', `${decimal(result.true_peak_dbtp)} dBTP`],
    ['Planned by', source === null ? '–' : SOURCE_WORDS[source]],
    ['Match', job.score === null ? '–' : `${Math.round(job.score)} of 100`],
  ];
  return (
    <div className="space-y-4">
      <dl className="flex flex-wrap gap-x-6 gap-y-3">
        {facts.map(([title, value]) => (
          <div key={title}>
            <dt className="text-xs text-soft">{title}</dt>
            <dd className="text-sm font-medium">{value}</dd>
          </div>
        ))}
      </dl>
      {job.result_path !== null && (
        <div className="flex flex-wrap gap-2">
          <button type="button" className="button" onClick={() => void attempt(download)} title={name}>
            <Icon name="download" />
            {result.format.toUpperCase()} · {megabytes(result.bytes)}
          </button>
          {OTHER_FORMATS[result.format].map((format) => (
            <button
              key={format}
              type="button"
              className="button"
              disabled={encoding !== undefined}
              onClick={() => void attempt(() => downloadAs(format))}
              title={fileName(title, format)}
            >
              <Icon name="download" />
              <span aria-live="polite">{encoding === format ? 'Encoding…' : format.toUpperCase()}</span>
            </button>
          ))}
          <button type="button" className="button" onClick={() => void attempt(share)}>
            <Icon name="link" />
            <span aria-live="polite">{isCopied ? 'Link copied, lives an hour' : 'Copy link'}</span>
          </button>
        </div>
      )}
      {problem && <Notice problem={problem} />}
    </div>
  );
}
