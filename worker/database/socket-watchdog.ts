/**
 * Half-open connections: they stay up and carry nothing (a NAT that forgot them, a pooler that hangs). TCP itself notices
 * after a quarter of an hour or never, so the sockets of all pools are watched here.
 */
import { Socket } from 'node:net';

const LOOK_MS = 250;
/** A connection that has not been greeted for so long was opened while the way was cut. */
const GREETING_MS = 1_000;

export interface SocketWatch {
  /**
   * A connection that has sent something and heard nothing for this long counts as lost: the server would have cancelled
   * the statement by then. Milliseconds.
   */
  limitMs: number;
  /** A new socket under watch, not yet connected. */
  open(): Socket;
  /**
   * Ends every socket that has heard nothing since a moment of the monotonic clock, idle ones included: called when it has
   * turned out that the way to the database was cut then. One by one they would take a limit each.
   */
  dropSilentSince(moment: number): void;
}

interface Watched {
  socket: Socket;
  openedAt: number;
  sent: number;
  heard: number;
  /** Undefined: never. */
  heardAt?: number;
  /** When it sent what has not been answered yet. */
  silentSince?: number;
}

/** Starts a watch over the sockets that it will open. Counts bytes, so it works below TLS too. */
export function watchSockets(limitMs: number): SocketWatch {
  const all = new Set<Watched>();
  let timer: NodeJS.Timeout | undefined;

  function end({ socket }: Watched): void {
    socket.destroy(new Error('the database has not answered for too long; the connection counts as lost'));
  }

  function look(): void {
    const now = performance.now();
    for (const watched of all) {
      const { bytesRead, bytesWritten } = watched.socket;
      if (bytesRead !== watched.heard) {
        watched.heardAt = now;
        delete watched.silentSince;
      } else if (bytesWritten !== watched.sent) watched.silentSince ??= now;
      watched.sent = bytesWritten;
      watched.heard = bytesRead;
      if (watched.silentSince !== undefined && now - watched.silentSince > limitMs) end(watched);
    }
  }

  return {
    limitMs,
    open() {
      const watched: Watched = { socket: new Socket(), openedAt: performance.now(), sent: 0, heard: 0 };
      all.add(watched);
      timer ??= setInterval(look, LOOK_MS).unref();
      watched.socket.once('close', () => {
        all.delete(watched);
        if (all.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      });
      return watched.socket;
    },
    dropSilentSince(moment) {
      look();
      const ungreeted = performance.now() - GREETING_MS;
      for (const watched of all)
        if (watched.heardAt === undefined ? watched.openedAt < ungreeted : watched.heardAt < moment) end(watched);
    },
  };
}
