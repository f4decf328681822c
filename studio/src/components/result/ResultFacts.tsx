import type { MashupJob } from '../../../../schema.ts';
import { clock, decimal } from '../../texts.ts';
import { DownloadButtons } from './DownloadButtons.tsx';

const SOURCE_NAMES = { claude: 'Claude', rules: 'Built-in rules' } as const;

/** Properties of a job's result, and the ways to save it. `source` is what planned the mashup. */
export function ResultFacts({ job, source }: { job: MashupJob; source: 'claude' | 'rules' | null }) {
  const { result } = job;
  if (result === null) return null;
  const facts: [string, string][] = [
    ['Length', clock(result.duration_sec)],
    ['Tempo', `${decimal(result.bpm)} bpm`],
    ['Key', result.key],
    ['Loudness', `${decimal(result.loudness_lufs)} LUFS`],
    ['True peak', `${decimal(result.true_peak_dbtp)} dBTP`],
    ['Planned by', source === null ? '–' : SOURCE_NAMES[source]],
    ['Match', job.score === null ? '–' : `${Math.round(job.score)} of 100`],
  ];
  return (
    <div className="space-y-4">
      <dl className="flex flex-wrap gap-x-6 gap-y-3">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className="text-xs text-soft">{name}</dt>
            <dd className="text-sm font-medium">{value}</dd>
          </div>
        ))}
      </dl>
      <DownloadButtons job={job} result={result} />
    </div>
  );
}
