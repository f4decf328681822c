import type { ReactNode } from 'react';
import type { VolumeChoice } from '../../hooks/useVolume.ts';
import { Icon } from '../common/icons.tsx';
import type { IconName } from '../common/icons.tsx';
import { VolumeControl } from './VolumeControl.tsx';
import type { PlayerActions } from './usePlayerActions.ts';

/** The small controls of a player: sections, volume, and its keys. */
export function PlayerButtons({
  actions: { previous, next, repeat, isRepeating },
  volume,
  help,
}: {
  actions: PlayerActions;
  volume: VolumeChoice;
  /** The list of keys; undefined for a player without keys. */
  help: { id: string; isOpen: boolean; toggle: () => void } | undefined;
}) {
  return (
    <>
      {repeat && (
        <span role="group" aria-label="Sections" className="flex items-center">
          <SmallButton name="Previous section" icon="previous" onPress={previous} />
          <SmallButton name="Repeat the section" icon="repeat" isOn={isRepeating} onPress={repeat} />
          <SmallButton name="Next section" icon="next" onPress={next} />
        </span>
      )}
      <VolumeControl {...volume} />
      {help && (
        <button
          type="button"
          className="hidden h-8 w-8 place-items-center rounded-lg font-semibold hover:bg-raised sm:grid"
          aria-label="Keys"
          title="Keys (?)"
          aria-expanded={help.isOpen}
          aria-controls={help.isOpen ? help.id : undefined}
          onClick={help.toggle}
        >
          ?
        </button>
      )}
    </>
  );
}

function SmallButton({
  name,
  icon,
  isOn,
  onPress,
}: {
  name: string;
  icon: IconName;
  /** Of a button that stays pressed. */
  isOn?: boolean;
  /** Without it the button is disabled. */
  onPress: (() => void) | undefined;
}): ReactNode {
  return (
    <button
      type="button"
      className={`grid h-8 w-8 place-items-center rounded-lg hover:bg-raised disabled:opacity-40 ${
        isOn === true ? 'bg-accent text-on-accent hover:bg-accent' : ''
      }`}
      aria-label={name}
      aria-pressed={isOn}
      title={name}
      disabled={onPress === undefined}
      onClick={onPress}
    >
      <Icon name={icon} />
    </button>
  );
}
