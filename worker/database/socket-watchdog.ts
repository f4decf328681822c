/**
 * Detects half-open connections, which stay open and transfer nothing (a NAT that lost its entry, a pooler that hangs). TCP
 * itself reports them after a quarter of an hour or never, so this watchdog checks the sockets of all pools.
 */
import { Socket } from 'node:net';

const CHECK_INTERVAL_MS = 250;
/** A connection that has received nothing for so long after it was opened was opened during an outage. */
const GREETING_MS = 1_000;

export interface SocketWatchdog {
  /**
   * A connection that has sent something and received nothing for this long counts as lost: the server would have cancelled the
   * statement by then. Milliseconds.
   */
  limitMs: number;
  /** Returns a new, unconnected socket that the watchdog checks. */
  createSocket(): Socket;
  /**
   * Destroys every socket, idle ones included, that has received nothing since a time of the monotonic clock. Called after an
   * outage that began at that time. Otherwise each connection would take the full limit to be found.
   */
  destroySilentSince(time: number): void;
  /**
   * Resolves when all sockets are closed. Those that are open after a limit, in milliseconds, are destroyed, as are new ones: a
   * pool that is ended while it connects keeps its connection.
   */
  close(limitMs: number): Promise<void>;
}

interface WatchedSocket {
  socket: Socket;
  openedAt: number;
  sentBytes: number;
  receivedBytes: number;
  /** Undefined: nothing received yet. */
  receivedAt?: number;
  /** When it sent bytes to which there is no response yet. */
  unansweredSince?: number;
}

/** Starts a watchdog for the sockets that it will create. It counts bytes, so it also works below TLS. */
export function startSocketWatchdog(limitMs: number): SocketWatchdog {
  const sockets = new Set<WatchedSocket>();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let onEmpty: () => void = () => {};

  function checkAll(): void {
    const now = performance.now();
    for (const watched of sockets) {
      update(watched, now);
      if (watched.unansweredSince !== undefined && now - watched.unansweredSince > limitMs) destroy(watched);
    }
  }

  return {
    limitMs,
    createSocket() {
      const watched: WatchedSocket = {
        socket: new Socket(),
        openedAt: performance.now(),
        sentBytes: 0,
        receivedBytes: 0,
      };
      sockets.add(watched);
      timer ??= setInterval(checkAll, CHECK_INTERVAL_MS).unref();
      watched.socket.once('close', () => {
        sockets.delete(watched);
        if (sockets.size > 0) return;
        clearInterval(timer);
        timer = undefined;
        onEmpty();
      });
      if (isClosed) watched.socket.once('connect', () => watched.socket.destroy());
      return watched.socket;
    },
    destroySilentSince(time) {
      checkAll();
      const openedBefore = performance.now() - GREETING_MS;
      for (const watched of sockets) {
        const { receivedAt, openedAt } = watched;
        if (receivedAt === undefined ? openedAt < openedBefore : receivedAt < time) destroy(watched);
      }
    },
    async close(limitMs) {
      const empty = new Promise<void>((resolve) => (onEmpty = resolve));
      let limit: NodeJS.Timeout | undefined;
      if (sockets.size > 0)
        await Promise.race([empty, new Promise((resolve) => (limit = setTimeout(resolve, limitMs)))]);
      clearTimeout(limit);
      isClosed = true;
      for (const watched of sockets) destroy(watched);
    },
  };
}

function update(watched: WatchedSocket, now: number): void {
  const { bytesRead, bytesWritten } = watched.socket;
  if (bytesRead !== watched.receivedBytes) {
    watched.receivedAt = now;
    delete watched.unansweredSince;
  } else if (bytesWritten !== watched.sentBytes) {
    watched.unansweredSince ??= now;
  }
  watched.sentBytes = bytesWritten;
  watched.receivedBytes = bytesRead;
}

function destroy({ socket }: WatchedSocket): void {
  socket.destroy(new Error('the database did not respond in time; the connection is closed'));
}
