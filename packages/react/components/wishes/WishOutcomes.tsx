import { describeWish } from '../../../../music/wishes/wish-texts.ts';
import { MusicText } from '../common/MusicText.tsx';
import type { WishOutcome } from '../../../../schema.ts';

/** What became of the wishes of a mashup: done, not possible with the reason, left to Claude, not understood. Nothing without wishes. */
export function WishOutcomes({
  outcome,
  songs,
}: {
  outcome: WishOutcome | null;
  songs: readonly { songId: string; name: string }[];
}) {
  if (!outcome) return null;
  const followed = outcome.by_planner ?? [];
  if (outcome.understood.length + outcome.not_understood.length + followed.length === 0) return null;
  const names = songs.map(({ songId, name }) => ({ song_id: songId, name }));
  const reasons = new Map((outcome.not_done ?? []).map(({ index, reason }) => [index, reason]));
  return (
    <ul className="mt-3 flex flex-wrap gap-2 text-sm" aria-label="Your wishes" data-testid="wish-outcome">
      {outcome.understood.map((wish, index) => {
        const reason = reasons.get(index);
        const text = describeWish(wish, names);
        return reason === undefined ? (
          <li key={text} className="chip break-words">
            <MusicText text={text} />: <span className="text-good">done</span>
          </li>
        ) : (
          <li key={text} className="chip break-words">
            <MusicText text={text} />: <span className="text-warn">not possible</span>
            {reason !== '' && <MusicText text={`: ${reason}`} />}
          </li>
        );
      })}
      {followed.map((part) => (
        <li key={part} className="chip break-words">
          “{part}”: <span className="text-soft">left to Claude, not checked</span>
        </li>
      ))}
      {outcome.not_understood.map((part) => (
        <li key={part} className="chip break-words">
          <span className="text-warn">not understood:</span> “{part}”
        </li>
      ))}
    </ul>
  );
}
