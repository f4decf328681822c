import { useMemo } from 'react';

const HEIGHT = 100;

/** Reduces to `bars` values, each the maximum of its range, so that peaks remain visible. */
function reducePeaks(peaks: readonly number[], bars: number): number[] {
  const step = peaks.length / bars;
  if (step <= 1) return [...peaks];
  return Array.from({ length: bars }, (_, bar) => {
    let top = 0;
    for (let i = Math.floor(bar * step); i < Math.floor((bar + 1) * step); i++) top = Math.max(top, peaks[i] ?? 0);
    return top;
  });
}

/**
 * A decorative waveform, stretched to its box. The part up to `played` (0..1) is drawn at full strength and the rest
 * faintly. `marks` (seconds) are drawn as a grid, with every `markGroup`th line longer.
 */
export function Waveform({
  peaks,
  color,
  bars = 160,
  played = 1,
  marks = [],
  markGroup = 4,
  durationSec,
  className = 'h-16',
}: {
  peaks: readonly number[];
  color: string;
  bars?: number;
  played?: number;
  marks?: readonly number[];
  markGroup?: number;
  durationSec?: number;
  className?: string;
}) {
  const shape = useMemo(() => {
    const values = reducePeaks(peaks, bars);
    const top = Math.max(0.05, ...values);
    return values
      .map((value, bar) => {
        const half = Math.max(1.5, (value / top) * (HEIGHT / 2 - 2));
        return `M${bar + 0.5} ${(HEIGHT / 2 - half).toFixed(1)}V${(HEIGHT / 2 + half).toFixed(1)}`;
      })
      .join('');
  }, [peaks, bars]);
  const width = Math.min(bars, Math.max(1, peaks.length));
  const lines = durationSec === undefined ? [] : marks.map((mark) => (mark / durationSec) * width);
  const drawing = { d: shape, stroke: color, strokeWidth: 0.62, fill: 'none' };
  return (
    <svg
      aria-hidden="true"
      viewBox={`0 0 ${width} ${HEIGHT}`}
      preserveAspectRatio="none"
      className={`block w-full ${className}`}
    >
      {lines.map((x, index) => (
        <line
          key={index}
          x1={x}
          x2={x}
          y1={index % markGroup === 0 ? 0 : HEIGHT * 0.9}
          y2={HEIGHT}
          stroke="rgb(var(--ink))"
          strokeOpacity={index % markGroup === 0 ? 0.3 : 0.35}
          strokeWidth="1"
          vectorEffect="non-scaling-stroke"
        />
      ))}
      <path {...drawing} opacity={played >= 1 ? 0.95 : 0.3} />
      {played < 1 && <path {...drawing} style={{ clipPath: `inset(0 ${100 - played * 100}% 0 0)` }} />}
    </svg>
  );
}
