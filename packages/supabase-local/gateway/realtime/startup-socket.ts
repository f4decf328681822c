/** A socket whose errors during the startup of a Postgres connection do not end the process. */
import { Socket } from 'node:net';

interface StartupSocket {
  socket: Socket;
  /** Ends the protection: from now on the client handles errors itself. */
  markStarted(): void;
}

/**
 * Opens a socket for a client of pg-logical-replication 2.5.0, which handles errors only some time after the server has
 * reported that it is ready. If the server closes the connection in the same packet ("terminating connection due to
 * administrator command"), the client throws from an event handler of the socket. The exception would end the process; here
 * it closes the connection.
 */
export function openStartupSocket(): StartupSocket {
  const socket = new Socket();
  let isStarted = false;
  const emit = socket.emit.bind(socket) as (...given: unknown[]) => boolean;
  socket.emit = (...given: unknown[]): boolean => {
    try {
      return emit(...given);
    } catch (error) {
      if (isStarted) throw error;
      socket.destroy();
      return true;
    }
  };
  return { socket, markStarted: () => (isStarted = true) };
}
