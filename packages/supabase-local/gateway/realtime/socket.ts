/** One socket: reads its frames in order and holds the channels that it has joined. */
import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import { Channel } from './channel.ts';
import type { RealtimeContext } from './channel.ts';
import { RealtimeError } from './errors.ts';
import { FrameWriter } from './frame-writer.ts';
import { readBinary, readText } from './protocol.ts';
import type { Broadcast, Frame, Version } from './protocol.ts';

/** A socket without a frame of its client for this long is closed, in milliseconds. */
const IDLE_TIMEOUT_MS = 60_000;

const BroadcastPush = z.object({ event: z.string().default(''), payload: z.unknown() });
const TokenPush = z.object({ access_token: z.unknown() });

function broadcastOf({ payload }: Frame): Broadcast {
  if (typeof payload === 'object' && payload !== null && 'binary' in payload) return payload as Broadcast;
  const parsed = BroadcastPush.parse(payload);
  return { event: parsed.event, payload: parsed.payload, binary: undefined };
}

/** Serves one accepted socket until it closes. */
export class SocketSession {
  readonly #context: RealtimeContext;
  readonly #socket: WebSocket;
  readonly #version: Version;
  readonly #connectionKey: string;
  readonly #writer: FrameWriter;
  readonly #channels = new Map<string, Channel>();
  #idleTimer: NodeJS.Timeout | undefined;
  /** Frames are handled one after the other. */
  #handled = Promise.resolve();

  /** @param connectionKey API key or token of the socket's URL */
  constructor(context: RealtimeContext, socket: WebSocket, version: Version, connectionKey: string) {
    this.#context = context;
    this.#socket = socket;
    this.#version = version;
    this.#connectionKey = connectionKey;
    this.#writer = new FrameWriter(socket, version);
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('close', () => this.#onClose());
    socket.on('error', () => socket.terminate());
    this.#restartIdleTimer();
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#restartIdleTimer();
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
    const frame = isBinary ? readBinary(bytes) : readText(this.#version, bytes.toString('utf8'));
    if (!frame) return;
    this.#handled = this.#handled
      .then(() => this.#handle(frame))
      .catch((error: unknown) => {
        const reason = error instanceof RealtimeError ? error.message : 'Invalid payload';
        this.#writer.reply(frame, 'error', { reason });
      });
  }

  async #handle(frame: Frame): Promise<void> {
    const { topic, event } = frame;
    if (topic === 'phoenix') return event === 'heartbeat' ? this.#writer.reply(frame, 'ok', {}) : undefined;
    if (event === 'phx_join') return this.#join(frame);
    const channel = this.#channels.get(topic);
    if (!channel || channel.isClosed) return this.#writer.reply(frame, 'error', { reason: 'unmatched topic' });
    if (frame.joinRef !== null && frame.joinRef !== channel.joinRef) return;
    switch (event) {
      case 'phx_leave':
        this.#channels.delete(topic);
        this.#writer.reply(frame, 'ok', {});
        return channel.close(true);
      case 'access_token':
        return channel.updateToken(TokenPush.safeParse(frame.payload).data?.access_token);
      case 'broadcast':
        if (await channel.send(broadcastOf(frame))) this.#writer.reply(frame, 'ok', {});
        return;
      case 'presence':
        await channel.updatePresence(frame.payload);
        return this.#writer.reply(frame, 'ok', {});
      default:
        return this.#writer.reply(frame, 'error', {
          reason: `The local gateway does not implement the event ${event}`,
        });
    }
  }

  async #join(frame: Frame): Promise<void> {
    const address = { topic: frame.topic, joinRef: frame.joinRef ?? frame.ref ?? '' };
    try {
      const channel = await Channel.open(this.#context, this.#writer, address, frame.payload, this.#connectionKey);
      if (this.#socket.readyState !== this.#socket.OPEN) return;
      this.#channels.get(frame.topic)?.close(true);
      this.#channels.set(frame.topic, channel);
      this.#writer.reply(frame, 'ok', channel.joinResponse());
      channel.begin();
    } catch (error) {
      if (!(error instanceof RealtimeError)) console.error(`realtime: a join failed: ${String(error)}`);
      const reason = error instanceof RealtimeError ? error.message : 'Unknown Error on Channel';
      this.#writer.reply(frame, 'error', { reason });
    }
  }

  #restartIdleTimer(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#socket.close(1000, 'idle'), IDLE_TIMEOUT_MS);
  }

  #onClose(): void {
    clearTimeout(this.#idleTimer);
    for (const channel of this.#channels.values()) channel.close(false);
  }
}
