import { clock } from '../../texts.ts';
import { Icon } from '../common/icons.tsx';
import { SongPreview } from './SongPreview.tsx';
import type { SongCardProps } from './song-card-props.ts';

type Props = Pick<SongCardProps, 'song' | 'place' | 'count' | 'upload' | 'analysis' | 'onRemove' | 'onMove'>;

/** Name and artist of a song, and the buttons that move or remove it. */
export function SongCardHeader({ song, place, count, upload, analysis, onRemove, onMove }: Props) {
  return (
    <div className="flex items-start gap-2">
      <SongPreview song={song} upload={upload} />
      <div className="min-w-0 flex-1">
        <h3 className="truncate text-base font-semibold" title={song.name}>
          {song.name}
        </h3>
        <p className="flex text-sm text-soft">
          <span className="truncate">{song.artist || 'Unknown artist'}</span>
          {analysis?.duration_sec ? <span className="shrink-0">&nbsp;· {clock(analysis.duration_sec)}</span> : ''}
        </p>
      </div>
      {onMove && count > 1 && (
        <div className="flex">
          <button type="button" className="button-quiet" disabled={place === 0} onClick={() => onMove(-1)}>
            <Icon name="up" className="h-4 w-4 md:-rotate-90" />
            <span className="sr-only">Move {song.name} forward</span>
          </button>
          <button type="button" className="button-quiet" disabled={place === count - 1} onClick={() => onMove(1)}>
            <Icon name="down" className="h-4 w-4 md:-rotate-90" />
            <span className="sr-only">Move {song.name} back</span>
          </button>
        </div>
      )}
      <button type="button" className="button-quiet" onClick={onRemove}>
        <Icon name="close" />
        <span className="sr-only">Remove {song.name}</span>
      </button>
    </div>
  );
}
