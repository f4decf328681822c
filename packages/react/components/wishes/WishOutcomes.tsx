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
  const contradictory = outcome.contradictory ?? [];
  const parts = [...outcome.understood, ...outcome.not_understood, ...followed, ...contradictory];
  if (parts.length === 0) return null;
  const names = songs.map(({ songId, name }) => ({ song_id: songId, name }));
  const reasons = new Map((outcome.not_done ?? []).map(({ index, reason }) => [index, reason]));
  return (
    <ul className="mt-3 flex flex-wrap gap-2 text-sm" aria-label="Your wishes" data-testid="wish-outcome">
      {outcome.understood.map((wish, index) => {
        const reason = reasons.get(index);
        const text = describeWish(wish, names);
        return reason === undefined ? (
          <li key={text} className="chip break-words">
            <span>
              <MusicText text={text} />: <span className="text-good">done</span>
            </span>
          </li>
        ) : (
          <li key={text} className="chip break-words">
            <span>
              <MusicText text={text} />: <span className="text-warn">not possible</span>
              {reason !== '' && <MusicText text={`: ${reason}`} />}
            </span>
          </li>
        );
      })}
      {followed.map((part) => (
        <li key={part} className="chip break-words">
          <span>
            “{part}”: <span className="text-soft">left to Claude, not checked</span>
          </span>
        </li>
      ))}
      {contradictory.map((part) => (
        <li key={part} className="chip break-words">
          <span>
            “{part}”: <span className="text-warn">contradictory, not done</span>
          </span>
        </li>
      ))}
      {outcome.not_understood.map((part) => (
        <li key={part} className="chip break-words">
          <span>
            <span className="text-warn">not understood:</span> “{part}”
          </span>
        </li>
      ))}
    </ul>
  );
}
