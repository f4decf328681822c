/** Writes the frames of one socket. */
import type { WebSocket } from 'ws';
import { writeBinary, writeText } from './protocol.ts';
import type { Broadcast, Frame, Version } from './protocol.ts';

/** A socket whose client does not read is terminated when this many bytes wait for it. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;

/** Writes frames in the version of the protocol that the client speaks. Frames for a closed socket are dropped. */
export class FrameWriter {
  readonly #socket: WebSocket;
  readonly #version: Version;

  constructor(socket: WebSocket, version: Version) {
    this.#socket = socket;
    this.#version = version;
  }

  /** Replies to a frame of the client. */
  reply({ joinRef, ref, topic }: Frame, status: 'ok' | 'error', response: unknown): void {
    this.#text({ joinRef, ref, topic, event: 'phx_reply', payload: { status, response } });
  }

  /** Pushes a message of a channel. `ref` is null unless it refers to a frame of the client. */
  push(topic: string, joinRef: string, ref: string | null, event: string, payload: unknown): void {
    this.#text({ joinRef, ref, topic, event, payload });
  }

  /** Sends a message that goes to all channels of a topic. */
  broadcast(topic: string, event: string, payload: unknown): void {
    this.#text({ joinRef: null, ref: null, topic, event, payload });
  }

  /** Like `broadcast`, with a payload that is JSON text already. */
  broadcastText(topic: string, event: string, payload: string): void {
    const [topicText, eventText] = [JSON.stringify(topic), JSON.stringify(event)];
    this.#write(
      this.#version === '2.0.0'
        ? `[null,null,${topicText},${eventText},${payload}]`
        : `{"topic":${topicText},"event":${eventText},"payload":${payload},"ref":null}`,
    );
  }

  /** Sends a broadcast of bytes. Clients of version 1.0.0 do not get it: that version has no binary frames. */
  broadcastBytes(topic: string, { event, binary }: Broadcast): void {
    if (this.#version === '2.0.0' && binary) this.#write(writeBinary(topic, event, binary));
  }

  #text(frame: Frame): void {
    this.#write(writeText(this.#version, frame));
  }

  #write(data: string | Buffer): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) return this.#socket.terminate();
    this.#socket.send(data);
  }
}
