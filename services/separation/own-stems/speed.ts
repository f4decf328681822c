/** Finds out whether a file plays faster or slower than a song. */
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { likelyShifts } from './rhythm-match.ts';
import type { Sound } from './sound.ts';

/** Speeds that are tried: up to 10 % to each side in steps of 0.5 %. */
const STEPS = 20;
const STEP = 0.005;
const MAX_SHIFT_SEC = 30;
/** Another speed is told if the rhythms agree this much better with it, and at least this well. */
const CLEARLY_BETTER = 1.4;
const CERTAIN = 8;

/** Returns the speed of the file relative to the song, 1 if no other speed fits clearly better. */
export async function speedOf(song: Sound, file: Sound): Promise<number> {
  const strengthAt = async (speed: number): Promise<number> => {
    const [best] = await likelyShifts(song, atSpeed(file, speed), MAX_SHIFT_SEC * SAMPLE_RATE, 1);
    return best?.strength ?? 0;
  };
  const own = await strengthAt(1);
  let [best, strength] = [1, Math.max(CERTAIN, own * CLEARLY_BETTER)];
  for (let step = -STEPS; step <= STEPS; step++) {
    const speed = 1 + step * STEP;
    const found = step === 0 ? 0 : await strengthAt(speed);
    if (found > strength) [best, strength] = [speed, found];
  }
  return best;
}

/** The rises of a file as they would be if it played at the speed of the song. */
function atSpeed(file: Sound, speed: number): Sound {
  const rises = file.rises.map((band) =>
    Float32Array.from({ length: Math.floor(band.length * speed) }, (_, i) => {
      const at = i / speed;
      const whole = Math.floor(at);
      const [a, b] = [band[whole] ?? 0, band[whole + 1] ?? 0];
      return a + (b - a) * (at - whole);
    }),
  );
  return { ...file, rises };
}
