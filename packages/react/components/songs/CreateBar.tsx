import { MIN_SONGS } from '../../../../schema/constants.ts';
import type { MashupOptions } from '@mashup-engine/client';
import { useOnline } from '../../hooks/useOnline.ts';
import type { NamedSong } from '../../state/wish-reading.ts';
import { Icon } from '../common/icons.tsx';
import { WishForm } from './WishForm.tsx';

/** Options of the mashup, and the button that creates it. On a large screen it stays at the foot of the window. */
export function CreateBar({
  songs,
  isDisabled,
  options,
  onChangeOptions,
  onCreate,
  onClearAll,
}: {
  songs: readonly NamedSong[];
  isDisabled: boolean;
  options: MashupOptions;
  onChangeOptions: (options: MashupOptions) => void;
  onCreate: () => void;
  onClearAll: () => void;
}) {
  const isOnline = useOnline();
  const isIncomplete = songs.length < MIN_SONGS;
  return (
    <div
      className={`panel flex flex-col gap-4 lg:sticky lg:z-10 ${isOnline ? 'lg:bottom-4' : 'lg:bottom-14'} lg:flex-row lg:items-end lg:shadow-xl lg:shadow-ground`}
    >
      <WishForm options={options} songs={songs} onChange={onChangeOptions} />
      <div className="flex items-center gap-2 lg:justify-end">
        <button type="button" className="button-quiet order-last lg:order-first" onClick={onClearAll}>
          Clear all
        </button>
        <button
          type="button"
          className="button-primary grow lg:grow-0"
          disabled={isIncomplete || isDisabled}
          onClick={onCreate}
        >
          <Icon name="spark" />
          {isIncomplete ? 'Add one more song' : 'Create the mashup'}
        </button>
      </div>
    </div>
  );
}
