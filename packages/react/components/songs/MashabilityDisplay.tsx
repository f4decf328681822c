import { useState } from 'react';
import type { ScoreWeights } from '../../../../schema.ts';

const DIMENSIONS = ['harmonic', 'rhythmic', 'spectral', 'vocal'] as const;
const DEFAULT_WEIGHTS: ScoreWeights = { harmonic: 0.35, rhythmic: 0.35, spectral: 0.15, vocal: 0.15 };

type Dimension = (typeof DIMENSIONS)[number];

/** The shown part of the scoring service's response. */
export interface MashabilityResult {
  overall_score: number;
  dimension_scores: Record<Dimension, number>;
  /** For each dimension its `score` (0..100) and its components (0..1). */
  compatibility_breakdown: Partial<Record<Dimension, Record<string, number>>>;
  recommendations?: string[];
  warnings?: string[];
}

const figure = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : '–');

/** A pair's score by dimension with its components, and sliders for the weights. */
export function MashabilityDisplay({
  mashabilityResult,
  onWeightsChange,
}: {
  mashabilityResult: MashabilityResult | null;
  onWeightsChange: (weights: ScoreWeights) => void;
}) {
  const [weights, setWeights] = useState(DEFAULT_WEIGHTS);
  if (mashabilityResult === null) return null;
  const { overall_score, dimension_scores, compatibility_breakdown } = mashabilityResult;
  const partsOf = (name: Dimension): [string, number][] =>
    Object.entries(compatibility_breakdown[name] ?? {}).filter(([part]) => part !== 'score');
  return (
    <section className="mashup-ui panel" aria-label="Mashability">
      <p className="text-2xl font-semibold">{figure(overall_score, 1)}</p>
      <ul className="mt-3 space-y-3 text-sm" aria-label="By dimension">
        {DIMENSIONS.map((name) => (
          <li key={name}>
            <p className="flex justify-between gap-4 font-medium">
              <span className="capitalize">{name}</span>
              {figure(dimension_scores[name], 1)}
            </p>
            <dl className="mt-1 flex flex-wrap gap-x-4 text-xs text-soft">
              {partsOf(name).map(([part, value]) => (
                <div key={part} className="flex gap-1.5">
                  <dt>{part.replaceAll('_', ' ')}</dt>
                  <dd>{figure(value, 2)}</dd>
                </div>
              ))}
            </dl>
          </li>
        ))}
      </ul>
      <fieldset className="mt-4 space-y-2">
        <legend className="label">Weights</legend>
        {DIMENSIONS.map((name) => (
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
