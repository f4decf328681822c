/** One socket: its frames in and out, and the channels that live on it. */
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { Channel } from './channel.ts';
import type { ChannelOutput, RealtimeContext } from './channel.ts';
import { RealtimeError } from './errors.ts';
import { readBinary, readText, writeBinary, writeText } from './protocol.ts';
import type { Broadcast, Frame, Version } from './protocol.ts';

/** A socket without a frame of its client for this long is closed, in milliseconds. */
const IDLE_MS = 60_000;

/** A client that does not read is dropped when this much waits for it, in bytes. */
const MAX_BACKLOG = 16 * 1024 * 1024;

const BroadcastPush = z.object({ event: z.string().default(''), payload: z.unknown() });

function broadcastOf({ payload }: Frame): Broadcast {
  if (typeof payload === 'object' && payload !== null && 'binary' in payload) return payload as Broadcast;
  const parsed = BroadcastPush.parse(payload);
  return { event: parsed.event, payload: parsed.payload, binary: undefined };
}

/** Serves one accepted socket until it closes. `key` is the API key or token of its URL. */
export function serveSocket(context: RealtimeContext, socket: WebSocket, version: Version, key: string): void {
  const channels = new Map<string, Channel>();
  let idle: NodeJS.Timeout;
  let inOrder = Promise.resolve();

  function write(data: string | Buffer): void {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > MAX_BACKLOG) return socket.terminate();
    socket.send(data);
  }

  const output: ChannelOutput = {
    push: (topic, joinRef, ref, event, payload) => write(writeText(version, { joinRef, ref, topic, event, payload })),
    broadcast: (topic, event, payload) =>
      write(writeText(version, { joinRef: null, ref: null, topic, event, payload })),
    broadcastText(topic, event, payload) {
      const names = `${JSON.stringify(topic)},${version === '2.0.0' ? '' : '"event":'}${JSON.stringify(event)}`;
      write(
        version === '2.0.0' ? `[null,null,${names},${payload}]` : `{"topic":${names},"payload":${payload},"ref":null}`,
      );
    },
    broadcastBytes(topic, { event, binary }) {
      if (version === '2.0.0' && binary) write(writeBinary(topic, event, binary));
    },
  };

  function reply(frame: Frame, status: 'ok' | 'error', response: unknown): void {
    const { joinRef, ref, topic } = frame;
    write(writeText(version, { joinRef, ref, topic, event: 'phx_reply', payload: { status, response } }));
  }

  async function join(frame: Frame): Promise<void> {
    const place = { topic: frame.topic, joinRef: frame.joinRef ?? frame.ref ?? '' };
    try {
      const channel = await Channel.open(context, output, place, frame.payload, key);
      if (socket.readyState !== socket.OPEN) return;
      channels.get(frame.topic)?.close(true);
      channels.set(frame.topic, channel);
      reply(frame, 'ok', channel.reply());
      channel.begin();
    } catch (error) {
      if (!(error instanceof RealtimeError)) console.error(`realtime: a join failed: ${String(error)}`);
      reply(frame, 'error', { reason: error instanceof RealtimeError ? error.message : 'Unknown Error on Channel' });
    }
  }

  async function handle(frame: Frame): Promise<void> {
    const { topic, event } = frame;
    if (topic === 'phoenix') return event === 'heartbeat' ? reply(frame, 'ok', {}) : undefined;
    if (event === 'phx_join') return join(frame);
    const channel = channels.get(topic);
    if (!channel || channel.isClosed) return reply(frame, 'error', { reason: 'unmatched topic' });
    if (frame.joinRef !== null && frame.joinRef !== channel.joinRef) return;
    switch (event) {
      case 'phx_leave':
        channels.delete(topic);
        reply(frame, 'ok', {});
        return channel.close(true);
      case 'access_token': {
        const token = z.object({ access_token: z.unknown() }).safeParse(frame.payload);
        return channel.takeToken(token.data?.access_token);
      }
      case 'broadcast':
        if (await channel.send(broadcastOf(frame))) reply(frame, 'ok', {});
        return;
      case 'presence':
        await channel.present(frame.payload);
        return reply(frame, 'ok', {});
      default:
        return reply(frame, 'error', { reason: `The local gateway does not implement the event ${event}` });
    }
  }

  function stayAlive(): void {
    clearTimeout(idle);
    idle = setTimeout(() => socket.close(1000, 'idle'), IDLE_MS);
  }

  socket.on('message', (data, isBinary) => {
    stayAlive();
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
    const frame = isBinary ? readBinary(bytes) : readText(version, bytes.toString('utf8'));
    if (!frame) return;
    inOrder = inOrder
      .then(() => handle(frame))
      .catch((error: unknown) => {
        reply(frame, 'error', { reason: error instanceof RealtimeError ? error.message : 'Invalid payload' });
      });
  });
  socket.on('close', () => {
    clearTimeout(idle);
    for (const channel of channels.values()) channel.close(false);
  });
  socket.on('error', () => socket.terminate());
  stayAlive();
}
