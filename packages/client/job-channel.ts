/** One Realtime channel on one row, until it is lost. */
import { REALTIME_SUBSCRIBE_STATES } from '@supabase/supabase-js';
import type { RealtimePostgresChangesPayload, SupabaseClient } from '@supabase/supabase-js';

/** A channel whose stream is not ready after this counts as lost. */
const READY_TIMEOUT_MS = 15_000;

export type Row = Record<string, unknown>;

export interface JobChannelListener {
  /** Called after each wait: whether the channel is still wanted. */
  isWanted: () => boolean;
  /** The stream delivers every change from now on. Called again after each renewal of the token. */
  onReady: () => void;
  /** The row after a change; undefined if the change came without the whole row. */
  onChange: (row: Row | undefined) => void;
  /** The channel is lost and has been left. Called once, and not after `leave`. */
  onLost: () => void;
}

export interface JobChannel {
  leave(): void;
}

/**
 * Joins a channel for the changes of one row. SUBSCRIBED only means that the server knows the channel; the `system` message
 * reports that the stream is ready, and causes `onReady`.
 * @returns undefined if the channel is not wanted any more
 */
export async function joinJobChannel(
  supabase: SupabaseClient,
  table: string,
  id: string,
  listener: JobChannelListener,
): Promise<JobChannel | undefined> {
  await setRealtimeToken(supabase);
  if (!listener.isWanted()) return undefined;

  let isOver = false;
  // A unique name: supabase-js returns an existing channel of the same name, and a second join would end the first.
  const channel = supabase.channel(`${table}:${id}:${crypto.randomUUID()}`);
  const leave = (): void => {
    isOver = true;
    clearTimeout(readyTimer);
    void supabase.removeChannel(channel);
  };
  const lose = (): void => {
    if (isOver) return;
    leave();
    listener.onLost();
  };
  const readyTimer = setTimeout(lose, READY_TIMEOUT_MS);

  channel
    .on('system', {}, (message: { extension?: string; status?: string }) => {
      if (isOver) return;
      if (message.status !== 'ok') lose();
      else if (message.extension === 'postgres_changes') {
        clearTimeout(readyTimer);
        listener.onReady();
      }
    })
    .on(
      'postgres_changes',
      { event: '*', schema: 'public', table, filter: `id=eq.${id}` },
      ({ eventType, errors, new: row }: RealtimePostgresChangesPayload<Row>) => {
        if (isOver) return;
        const isWhole = eventType !== 'DELETE' && !(errors as string[] | null)?.length;
        listener.onChange(isWhole ? row : undefined);
      },
    )
    .subscribe((status) => {
      // An expired token closes the channel without an error, and supabase-js does not join it again.
      if (status !== REALTIME_SUBSCRIBE_STATES.SUBSCRIBED) lose();
    });
  return { leave };
}

/** Sets the user's token first: a channel joined without it runs as an anonymous user, who receives nothing and no error. */
async function setRealtimeToken(supabase: SupabaseClient): Promise<void> {
  try {
    // Also renews an expired session.
    await supabase.auth.getSession();
  } catch {
    // A client with its own `accessToken` option has no auth. `setAuth` below requests its token.
  }
  // Without this, Realtime requests a token only with its next heartbeat, and joins with an expired token are refused until then.
  await supabase.realtime.setAuth().catch(() => {});
}
