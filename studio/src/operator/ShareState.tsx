import { useState } from 'react';
import { dateTime } from './times.ts';
import type { Share } from './types.ts';

/** Whether a mashup is shared by a public link, and what takes the link down. */
export function ShareState({
  share,
  onTakeDown,
  onLift,
}: {
  share: Share;
  onTakeDown: (reason: string) => void;
  onLift: () => void;
}) {
  const [reason, setReason] = useState('');
  if (share.revoked_at !== null)
    return (
      <p className="text-sm text-soft" data-testid="share-state">
        Not shared: the public link was revoked on {dateTime(share.revoked_at)}.
      </p>
    );
  if (share.taken_down_at !== null)
    return (
      <div className="flex flex-wrap items-center gap-2 text-sm" data-testid="share-state">
        <p className="min-w-0 break-words">
          The public link was taken down on {dateTime(share.taken_down_at)}: {share.reason}
        </p>
        <button type="button" className="button" onClick={onLift}>
          Allow sharing again
        </button>
      </div>
    );
  return (
    <form
      className="space-y-2 text-sm"
      aria-label="Public link"
      data-testid="share-state"
      onSubmit={(event) => {
        event.preventDefault();
        onTakeDown(reason);
      }}
    >
      <p>Shared by a public link since {dateTime(share.created_at)}.</p>
      <div className="flex flex-wrap items-end gap-2">
        <label className="min-w-0 flex-1">
          <span className="label">Reason, which its owner reads</span>
          <input
            className="field mt-1"
            required
            maxLength={300}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </label>
        <button type="submit" className="button text-bad">
          Take the link down
        </button>
      </div>
    </form>
  );
}
