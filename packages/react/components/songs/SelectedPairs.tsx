import { useAudioAnalysis } from '../../hooks/useAudioAnalysis.ts';
import type { StudioSong } from '../../state/songs.ts';
import { PairScores } from './PairScores.tsx';

/** The scores of all pairs of the selected songs that have been scored. */
export function SelectedPairs({ songs }: { songs: StudioSong[] }) {
  const { getPair } = useAudioAnalysis();
  const pairs = songs.flatMap((a, index) => songs.slice(index + 1).flatMap((b) => getPair(a.id, b.id) ?? []));
  if (pairs.length === 0) return null;
  return (
    <div>
      <h2 className="label mb-3">How they fit together</h2>
      <PairScores pairs={pairs} songs={songs} />
    </div>
  );
}
