import { useState } from 'react';
import { areKeysOn, turnKeys } from '../../keys.ts';

const PREVIOUS_NEXT = 'Previous, next section';
const REPEAT = 'Repeat the section';
const COMPARE = 'Draft or studio version';

/** The keys of a player, and what they do. */
const KEYS: [keys: string[], text: string][] = [
  [['Space', 'K'], 'Play or pause'],
  [['←', '→'], '5 seconds back, on'],
  [['J', 'L'], '10 seconds back, on'],
  [['P', 'N'], PREVIOUS_NEXT],
  [['R'], REPEAT],
  [['M'], 'Mute'],
  [['B'], COMPARE],
  [['?'], 'Show these keys'],
];

/** The list of the keys that do something, and a switch that turns them off. */
export function KeyHelp({
  id,
  hasSections,
  hasVersions,
}: {
  id: string;
  /** Whether there are sections to go to. */
  hasSections: boolean;
  /** Whether there may be a studio version to compare with. */
  hasVersions: boolean;
}) {
  const [isOn, setIsOn] = useState(areKeysOn);
  const idle = [...(hasSections ? [] : [PREVIOUS_NEXT, REPEAT]), ...(hasVersions ? [] : [COMPARE])];
  const keys = KEYS.filter(([, text]) => !idle.includes(text));
  return (
    <section id={id} aria-label="Keys" className="rounded-xl bg-raised/60 p-3 text-sm" data-testid="key-help">
      <dl className="grid gap-x-6 gap-y-1.5 sm:grid-cols-2 lg:grid-cols-3">
        {keys.map(([names, text]) => (
          <div key={text} className="flex items-center gap-2">
            <dt className="flex w-20 shrink-0 gap-1">
              {names.map((key) => (
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
