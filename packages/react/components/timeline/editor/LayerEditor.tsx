import { stemTitle } from '../../../../../music/theory/stem-texts.ts';
import type { PlanLayer } from '../../../../../schema.ts';
import type { PlanEdits } from '../../../hooks/usePlanEdits.ts';
import { decibels } from '../../../texts.ts';
import { colorOf, placeOf } from '../timeline.ts';
import type { TimelineSong } from '../timeline.ts';

/** Range of the slider in dB. Below it a layer is not heard. */
const [MIN_DB, MAX_DB] = [-30, 6];

interface Props {
  /** Index of the section. */
  section: number;
  layer: PlanLayer;
  isMuted: boolean;
  edits: PlanEdits;
  songs: TimelineSong[];
}

/** One layer of a section: mute and level. */
export function LayerEditor({ section, layer, isMuted, edits, songs }: Props) {
  const { songId, stem } = layer;
  const song = songs[placeOf(songs, songId)];
  const name = `${stemTitle(stem)}${song ? ` of ${song.name}` : ''}`;
  const toggle = { kind: isMuted ? 'unmute_layer' : 'mute_layer', section, song_id: songId, stem } as const;
  const reason = edits.reasonAgainst(toggle);
  return (
    <li className="flex flex-wrap items-center gap-x-3 sm:flex-nowrap" data-testid="layer-editor">
      <span
        aria-hidden="true"
        className="h-2 w-2 shrink-0 rounded-full"
        style={{ background: colorOf({ songId, stem }, songs) }}
      />
      <span className={`min-w-0 flex-1 truncate text-sm sm:max-w-64 ${isMuted ? 'text-soft line-through' : ''}`}>
        {name}
      </span>
      <button
        type="button"
        aria-pressed={isMuted}
        aria-label={`Mute ${name}`}
        title={reason || `Mute ${name}`}
        // A press says why it is not possible.
        aria-disabled={reason !== ''}
        onClick={() => edits.edit(toggle)}
        className={`grid h-10 w-10 shrink-0 place-items-center rounded-lg border text-sm font-semibold transition-colors aria-disabled:opacity-40 ${
          isMuted ? 'border-transparent bg-bad text-panel' : 'border-line text-soft hover:bg-raised'
        }`}
      >
        M
      </button>
      <Level {...{ section, layer, isMuted, edits, name }} />
    </li>
  );
}

/** The slider of the level. */
function Level({ section, layer, isMuted, edits, name }: Omit<Props, 'songs'> & { name: string }) {
  const { songId, stem, volume_db: db } = layer;
  return (
    <>
      <input
        type="range"
        min={MIN_DB}
        max={MAX_DB}
        step={0.5}
        value={db}
        disabled={isMuted}
        onChange={(event) =>
          edits.edit({ kind: 'layer_level', section, song_id: songId, stem, db: Number(event.target.value) })
        }
        aria-label={`Level of ${name}`}
        aria-valuetext={decibels(db)}
        className="order-last h-10 min-w-0 basis-full cursor-pointer accent-accent disabled:cursor-not-allowed disabled:opacity-40 sm:order-none sm:flex-1 sm:basis-0"
      />
      <span className="w-16 shrink-0 text-right text-xs text-soft">{isMuted ? 'muted' : decibels(db)}</span>
    </>
  );
}
