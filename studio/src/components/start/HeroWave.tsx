const BARS = 48;
const WIDTH = 480;
const HEIGHT = 72;
/** Where the first song hands over to both, and both to the second, in bars. */
const ALONE = 16;

/** Two songs that run into one: decoration above the headline. */
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
        const isFirst = bar < ALONE || (bar < BARS - ALONE && bar % 2 === 0);
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
