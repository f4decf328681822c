import { useState } from 'react';
import { areKeysOn, turnKeys } from '../../keys.ts';

/** The keys of a player, and what they do. */
const KEYS: [keys: string[], text: string][] = [
  [['Space', 'K'], 'Play or pause'],
  [['←', '→'], '5 seconds back, on'],
  [['J', 'L'], '10 seconds back, on'],
  [['P', 'N'], 'Previous, next section'],
  [['R'], 'Repeat the section'],
  [['M'], 'Mute'],
  [['B'], 'Draft or studio version'],
  [['?'], 'Show these keys'],
];

/** The list of keys, and a switch that turns them off. */
export function KeyHelp({ id }: { id: string }) {
  const [isOn, setIsOn] = useState(areKeysOn);
  return (
    <section id={id} aria-label="Keys" className="rounded-xl bg-raised/60 p-3 text-sm" data-testid="key-help">
      <dl className="grid gap-x-6 gap-y-1.5 sm:grid-cols-2 lg:grid-cols-3">
        {KEYS.map(([keys, text]) => (
          <div key={text} className="flex items-center gap-2">
            <dt className="flex w-20 shrink-0 gap-1">
              {keys.map((key) => (
                <kbd
                  key={key}
                  className="min-w-6 rounded-md border border-line bg-panel px-1.5 text-center font-sans text-xs leading-5"
                >
                  {key}
                </kbd>
              ))}
            </dt>
            <dd className="text-soft">{text}</dd>
          </div>
        ))}
      </dl>
      <label className="mt-2 flex min-h-8 cursor-pointer items-center gap-2 text-soft">
        <input
          type="checkbox"
          checked={isOn}
          onChange={({ target }) => {
            turnKeys(target.checked);
            setIsOn(target.checked);
          }}
          className="h-4 w-4 accent-accent"
        />
        Use these keys on the whole page
      </label>
    </section>
  );
}
