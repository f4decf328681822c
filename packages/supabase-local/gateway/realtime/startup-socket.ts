/** The first moments of a connection to Postgres, in which nobody listens for what goes wrong. */
import { Socket } from 'node:net';

/** A socket, and how to say that from now on its client is listened to. */
interface GreetingSocket {
  socket: Socket;
  greeted(): void;
}

/**
 * Opens a socket for a client of pg-logical-replication 2.5.0, which listens for errors only some moments after the server has
 * said that it is ready. A server that goes away with the same breath ("terminating connection due to administrator command")
 * makes the client throw from within the socket: that ends the connection here, where it would end the process.
 */
export function openGreetingSocket(): GreetingSocket {
  const socket = new Socket();
  let isGreeted = false;
  const emit = socket.emit.bind(socket) as (...given: unknown[]) => boolean;
  socket.emit = (...given: unknown[]): boolean => {
    try {
      return emit(...given);
    } catch (error) {
      if (isGreeted) throw error;
      socket.destroy();
      return true;
    }
  };
  return { socket, greeted: () => (isGreeted = true) };
}
