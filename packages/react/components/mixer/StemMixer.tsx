import { gainsOf, isUnchanged } from '../../audio/stems/stem-mix.ts';
import type { StemMix } from '../../audio/stems/stem-mix.ts';
import { useStore } from '../../state/store.ts';
import { toneOf } from '../common/tones.ts';
import type { TimelineSong } from '../timeline/timeline.ts';
import { ChannelRow } from './ChannelRow.tsx';

/** The order of the stems of a song. */
const STEM_ORDER = ['vocals', 'other', 'bass', 'drums'];

/** A row for each stem of each song: mute, solo and level. */
export default function StemMixer({ mix, songs }: { mix: StemMix; songs: TimelineSong[] }) {
  const { channels } = useStore(mix.state);
  const gains = gainsOf(channels);
  const { files } = mix.stems;
  return (
    <div className="space-y-4" data-testid="mixer">
      <div className={`grid gap-x-8 gap-y-5 md:grid-cols-2 ${songs.length > 2 ? 'xl:grid-cols-3' : ''}`}>
        {songs.map((song, place) => (
          <section key={song.songId} aria-label={song.name} className="min-w-0">
            <h3 className="mb-1 flex items-center gap-2 text-sm font-semibold">
              <span className={`h-2.5 w-2.5 shrink-0 rounded-full ${toneOf(place).background}`} />
              <span className="truncate">{song.name}</span>
            </h3>
            {files
              .filter(({ songId }) => songId === song.songId)
              .sort((a, b) => STEM_ORDER.indexOf(a.stem) - STEM_ORDER.indexOf(b.stem))
              .map((file) => (
                <ChannelRow
                  key={file.path}
                  stem={file.stem}
                  channel={channels[files.indexOf(file)]!}
                  isHeard={gains[files.indexOf(file)] !== 0}
                  onChange={(change) => mix.change(file, change)}
                />
              ))}
          </section>
        ))}
      </div>
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <p className="text-xs text-soft">
          Keys in a row: M mutes, S plays it alone (several add up), 0 resets its level.
        </p>
        <button type="button" className="button" disabled={channels.every(isUnchanged)} onClick={() => mix.reset()}>
          Reset the mix
        </button>
      </div>
    </div>
  );
}
