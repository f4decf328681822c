import type { KeyboardEvent } from 'react';
import type { Channel } from '../../audio/stems/stem-mix.ts';
import { MAX_DB, MIN_DB } from '../../audio/stems/stem-mix.ts';
import { stemTitle } from '../../../../music/theory/stem-texts.ts';
import { decibels } from '../../texts.ts';

type Change = (change: Partial<Channel>) => void;

/** Mute, solo and level of one stem. The keys M, S and 0 work while the focus is in the row. */
export function ChannelRow({
  stem,
  channel: { isMuted, isSolo, levelDb },
  isHeard,
  onChange,
}: {
  stem: string;
  channel: Channel;
  /** Whether it sounds, beside what is set for the other stems. */
  isHeard: boolean;
  onChange: Change;
}) {
  const name = stemTitle(stem);
  const mute = (): void => onChange({ isMuted: !isMuted });
  const solo = (): void => onChange({ isSolo: !isSolo });
  const onKeyDown = (event: KeyboardEvent): void => {
    const press = { m: mute, s: solo, '0': () => onChange({ levelDb: 0 }) }[event.key.toLowerCase()];
    if (press === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    press();
  };
  return (
    <div
      role="group"
      aria-label={name}
      data-testid="channel"
      className="flex flex-wrap items-center gap-x-2 sm:flex-nowrap"
      onKeyDown={onKeyDown}
    >
      <span
        className={`flex-1 truncate text-sm sm:w-24 sm:flex-none ${isHeard ? 'font-medium' : 'text-soft line-through'}`}
      >
        {name}
      </span>
      <Toggle name={`Mute ${name}`} letter="M" isOn={isMuted} tone="bg-bad text-panel" onToggle={mute} />
      <Toggle name={`Solo ${name}`} letter="S" isOn={isSolo} tone="bg-accent text-on-accent" onToggle={solo} />
      <Level name={name} levelDb={levelDb} onChange={onChange} />
    </div>
  );
}

/** The slider of the level, with its value. On a phone it has a line of its own. */
function Level({ name, levelDb, onChange }: { name: string; levelDb: number; onChange: Change }) {
  const text = levelDb <= MIN_DB ? 'silent' : decibels(levelDb);
  return (
    <>
      <input
        type="range"
        min={MIN_DB}
        max={MAX_DB}
        step={1}
        value={levelDb}
        onChange={(event) => onChange({ levelDb: Number(event.target.value) })}
        onDoubleClick={() => onChange({ levelDb: 0 })}
        aria-label={`Level of ${name}`}
        aria-valuetext={text}
        className="order-last h-10 min-w-0 basis-full cursor-pointer accent-accent sm:order-none sm:flex-1 sm:basis-0"
      />
      <span className="w-14 text-right text-xs text-soft">{text}</span>
    </>
  );
}

function Toggle({
  name,
  letter,
  isOn,
  tone,
  onToggle,
}: {
  name: string;
  letter: string;
  isOn: boolean;
  /** Classes of the pressed button. */
  tone: string;
  onToggle: () => void;
}) {
  return (
    <button
      type="button"
      aria-pressed={isOn}
      aria-label={name}
      title={`${name} (${letter})`}
      onClick={onToggle}
      className={`grid h-10 w-10 shrink-0 place-items-center rounded-lg border text-sm font-semibold transition-colors ${
        isOn ? `border-transparent ${tone}` : 'border-line text-soft hover:bg-raised'
      }`}
    >
      {letter}
    </button>
  );
}
