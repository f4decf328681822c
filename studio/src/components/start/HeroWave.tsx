const BARS = 48;
const WIDTH = 480;
const HEIGHT = 72;
/** Bars at each end that show one song only. */
const SOLO_BARS = 16;

/** Decoration above the headline: two songs that merge. */
export function HeroWave() {
  const step = WIDTH / BARS;
  return (
    <svg
      aria-hidden="true"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      className="mx-auto mb-6 h-auto w-full max-w-sm"
    >
      {Array.from({ length: BARS }, (_, bar) => {
        const height = 8 + 60 * Math.abs(Math.sin(bar * 0.9) * Math.cos(bar * 0.31 + 0.4));
        const isFirst = bar < SOLO_BARS || (bar < BARS - SOLO_BARS && bar % 2 === 0);
        return (
          <rect
            key={bar}
            x={bar * step + step * 0.2}
            y={(HEIGHT - height) / 2}
            width={step * 0.6}
            height={height}
            rx={step * 0.3}
            fill={isFirst ? 'rgb(var(--song-1))' : 'rgb(var(--song-2))'}
          />
        );
      })}
    </svg>
  );
}
