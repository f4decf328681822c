import type { MashupJob } from '@mashup-engine/client';
import { displayKeyWithCamelot } from '../../../../music/theory/keys.ts';
import { clock, decimal } from '../../texts.ts';
import { MusicText } from '../common/MusicText.tsx';
import { DownloadButtons } from './DownloadButtons.tsx';
import { separatorText } from './separators.ts';

const SOURCE_NAMES = { claude: 'Claude', rules: 'Built-in rules' } as const;

/** Properties of a job's result, and the ways to save it. `source` is what planned the mashup. */
export function ResultFacts({ job, source }: { job: MashupJob; source: 'claude' | 'rules' | null }) {
  const { result } = job;
  if (result === null) return null;
  const separator = separatorText(result.separation, job.songs);
  const facts: [string, string][] = [
    ['Length', clock(result.durationSec)],
    ['Tempo', `${decimal(result.bpm)} bpm`],
    ['Key', displayKeyWithCamelot(result.key)],
    ['Loudness', `${decimal(result.loudnessLufs)} LUFS`],
    ['True peak', `${decimal(result.truePeakDbtp)} dBTP`],
    ...(separator === undefined ? [] : [['Separated by', separator] as [string, string]]),
    ['Planned by', source === null ? '–' : SOURCE_NAMES[source]],
    ...(result.quality ? [['Quality checks', result.quality.passed ? 'Passed' : 'Failed'] as [string, string]] : []),
    ['Match', job.score === null ? '–' : `${Math.round(job.score)} of 100`],
  ];
  return (
    <div className="space-y-4">
      <dl className="flex flex-wrap gap-x-6 gap-y-3">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className="text-xs text-soft">{name}</dt>
            <dd className="text-sm font-medium">
              <MusicText text={value} />
            </dd>
          </div>
        ))}
      </dl>
      <DownloadButtons job={job} result={result} />
    </div>
  );
}
