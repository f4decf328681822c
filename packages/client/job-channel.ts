/** One Realtime channel on one row, until it is lost. */
import { REALTIME_SUBSCRIBE_STATES } from '@supabase/supabase-js';
import type { RealtimePostgresChangesPayload, SupabaseClient } from '@supabase/supabase-js';

/** A stream that is joined but not ready after this is given up, in milliseconds. */
const READY_TIMEOUT_MS = 15_000;

type Row = Record<string, unknown>;

export interface JobChannelListener {
  /** Asked after each wait: whether the channel is still wanted. */
  isWanted: () => boolean;
  /** The stream carries every change from now on. Comes again after each renewal of the token. */
  ready: () => void;
  /** The row as it is now; undefined where the change came without all of it. */
  changed: (row: Row | undefined) => void;
  /** The channel is gone, once, and left behind properly. Not called after `leave`. */
  lost: () => void;
}

export interface JobChannel {
  leave(): void;
}

/**
 * Joins a channel for the changes of one row. SUBSCRIBED says only that the server has heard of it: the `system`
 * message says that the stream is ready, and that is what `ready` waits for.
 */
export async function joinJobChannel(
  supabase: SupabaseClient,
  table: string,
  id: string,
  listener: JobChannelListener,
): Promise<JobChannel | undefined> {
  await bringToken(supabase);
  if (!listener.isWanted()) return undefined;

  let isOver = false;
  // A name of its own each time: supabase-js hands out a channel again by its name, and a second join ends the first.
  const channel = supabase.channel(`${table}:${id}:${crypto.randomUUID()}`);
  const leave = (): void => {
    isOver = true;
    clearTimeout(patience);
    void supabase.removeChannel(channel);
  };
  const lose = (): void => {
    if (isOver) return;
    leave();
    listener.lost();
  };
  const patience = setTimeout(lose, READY_TIMEOUT_MS);

  channel
    .on('system', {}, (message: { extension?: string; status?: string }) => {
      if (isOver) return;
      if (message.status !== 'ok') lose();
      else if (message.extension === 'postgres_changes') {
        clearTimeout(patience);
        listener.ready();
      }
    })
    .on(
      'postgres_changes',
      { event: '*', schema: 'public', table, filter: `id=eq.${id}` },
      ({ eventType, errors, new: row }: RealtimePostgresChangesPayload<Row>) => {
        if (isOver) return;
        const isWhole = eventType !== 'DELETE' && !(errors as string[] | null)?.length;
        listener.changed(isWhole ? row : undefined);
      },
    )
    .subscribe((status) => {
      // An expired token closes the channel silently, and supabase-js does not join that one again.
      if (status !== REALTIME_SUBSCRIBE_STATES.SUBSCRIBED) lose();
    });
  return { leave };
}

/** A channel that is joined before the session is there runs as an anonymous visitor, who hears nothing and no error. */
async function bringToken(supabase: SupabaseClient): Promise<void> {
  try {
    // Renews an expired session as well.
    await supabase.auth.getSession();
  } catch {
    // A client with an `accessToken` option of its own has no auth. Its token is asked for below.
  }
  // Realtime asks again only with its next heartbeat; until then a token that ran out would be refused.
  await supabase.realtime.setAuth().catch(() => {});
}
