import { useState } from 'react';

/** The scoring service's answer, as far as it is shown. */
export interface MashabilityResult {
  overall_score: number;
  breakdown: Record<string, number>;
}

const WEIGHTS = ['harmonic', 'rhythmic', 'spectral', 'vocal'] as const;
type Weights = Record<(typeof WEIGHTS)[number], number>;
const DEFAULT_WEIGHTS: Weights = { harmonic: 0.35, rhythmic: 0.35, spectral: 0.15, vocal: 0.15 };

/** A pair's score by dimension, with the weights in the user's hand. */
export function MashabilityDisplay({
  mashabilityResult,
  onWeightsChange,
}: {
  mashabilityResult: MashabilityResult | null;
  onWeightsChange: (weights: Weights) => void;
}) {
  const [weights, setWeights] = useState(DEFAULT_WEIGHTS);
  if (mashabilityResult === null) return null;
  return (
    <section className="panel" aria-label="Mashability">
      <p className="text-2xl font-semibold">{mashabilityResult.overall_score.toFixed(1)}</p>
      <dl className="mt-3 space-y-1 text-sm">
        {Object.entries(mashabilityResult.breakdown).map(([name, value]) => (
          <div key={name} className="flex justify-between gap-4">
            <dt className="text-soft">{name.replaceAll('_', ' ')}</dt>
            <dd>{value.toFixed(1)}</dd>
          </div>
        ))}
      </dl>
      <fieldset className="mt-4 space-y-2">
        <legend className="label">Weights</legend>
        {WEIGHTS.map((name) => (
          <label key={name} className="grid grid-cols-[5rem_1fr_2.5rem] items-center gap-2 text-sm">
            {name}
            <input
              type="range"
              min={0}
              max={1}
              step={0.05}
              value={weights[name]}
              onChange={(event) => {
                const changed = { ...weights, [name]: Number(event.target.value) };
                setWeights(changed);
                onWeightsChange(changed);
              }}
            />
            <span className="text-right">{weights[name].toFixed(2)}</span>
          </label>
        ))}
      </fieldset>
    </section>
  );
}
