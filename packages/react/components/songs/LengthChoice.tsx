import { useId, useState } from 'react';
import { parseClock } from '../../../../music/plan/clock.ts';
import type { MashupOptions } from '@mashup-engine/client';

type Length = Pick<MashupOptions, 'length' | 'lengthSec'>;

const CHOICES = [
  ['short', 'Short, about 1:30'],
  ['full', 'Full, 2:00 to 3:30'],
  ['exact', 'Exact'],
] as const;
const [MIN_SEC, MAX_SEC] = [20, 600];

/** The length of a mashup: short, full, or exact in minutes and seconds. An exact length that is not valid is not used. */
export function LengthChoice({ value, onChange }: { value: Length; onChange: (length: Length) => void }) {
  const id = useId();
  const [exact, setExact] = useState<string>();
  const seconds = exact === undefined ? undefined : parseClock(exact);
  const isValid = seconds !== undefined && seconds >= MIN_SEC && seconds <= MAX_SEC;
  const choose = (choice: string): void => {
    setExact(choice === 'exact' ? '1:45' : undefined);
    if (choice === 'exact') onChange({ length: undefined, lengthSec: parseClock('1:45') });
    else onChange({ length: choice === 'short' ? 'short' : 'full', lengthSec: undefined });
  };
  const write = (text: string): void => {
    setExact(text);
    const written = parseClock(text);
    const isUsed = written !== undefined && written >= MIN_SEC && written <= MAX_SEC;
    onChange(isUsed ? { length: undefined, lengthSec: written } : { length: 'full', lengthSec: undefined });
  };
  return (
    <div>
      <label htmlFor={`${id}length`} className="label">
        Length
      </label>
      <div className="mt-1 flex gap-2">
        <select
          id={`${id}length`}
          className="field"
          title="Full: as long as the songs have enough music for it. An exact length is met as near as whole phrases allow."
          value={exact === undefined ? (value.length ?? 'full') : 'exact'}
          onChange={(event) => choose(event.target.value)}
        >
          {CHOICES.map(([choice, label]) => (
            <option key={choice} value={choice}>
              {label}
            </option>
          ))}
        </select>
        {exact !== undefined && (
          <input
            aria-label="Exact length in minutes and seconds"
            aria-invalid={!isValid}
            aria-describedby={isValid ? undefined : `${id}fault`}
            className="field w-20"
            placeholder="1:45"
            value={exact}
            onChange={(event) => write(event.target.value)}
          />
        )}
      </div>
      {exact !== undefined && !isValid && (
        <p id={`${id}fault`} className="mt-1 text-xs text-bad">
          Write 0:20 to 10:00, e.g. 1:45.
        </p>
      )}
    </div>
  );
}
