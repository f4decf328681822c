import { useEffect, useRef } from 'react';
import type { JobResult, MashupJob } from '@mashup-engine/client';
import type { Comparison, MashupVersion } from '../../hooks/useComparison.ts';
import { pageKey } from '../../keys.ts';
import { separatorText } from './separators.ts';

const NAMES: Record<MashupVersion, string> = { draft: 'Draft', studio: 'Studio version' };

/** Switches between draft and studio version at the same position, also by the key B. */
export function CompareVersions({ job, comparison }: { job: MashupJob; comparison: Comparison }) {
  const { draft, version, choose } = comparison;
  const latest = useRef(comparison);
  latest.current = comparison;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (pageKey(event) !== 'b') return;
      latest.current.choose(latest.current.version === 'draft' ? 'studio' : 'draft');
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
  const separations: Record<MashupVersion, JobResult['separation']> = {
    draft: draft?.separation,
    studio: job.result?.separation,
  };
  return (
    <div data-testid="compare">
      <h2 className="label" id="compare-versions">
        Compare
      </h2>
      <div role="group" aria-labelledby="compare-versions" className="mt-2 grid grid-cols-2 gap-2 sm:max-w-md">
        {(['draft', 'studio'] as const).map((one, place) => (
          <button
            key={one}
            type="button"
            aria-pressed={one === version}
            onClick={() => choose(one)}
            className={`rounded-xl border p-3 text-left text-sm transition-colors ${
              one === version ? 'border-accent bg-accent/10' : 'border-line hover:bg-raised'
            }`}
          >
            <span className="font-semibold">
              {'AB'[place]} · {NAMES[one]}
            </span>
            <span className="block text-xs text-soft">{separatorText(separations[one], job.songs) ?? ''}</span>
          </button>
        ))}
      </div>
      <p className="mt-2 text-xs text-soft" role="status">
        You hear the {NAMES[version].toLowerCase()}. Both are mastered alike; the key B switches at the same position.
      </p>
    </div>
  );
}
