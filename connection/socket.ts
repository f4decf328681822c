/**
 * A connection to a Postgres server on which TLS is negotiated before the client uses it. `pg` and postgres.js accept a
 * stream of the caller, so both get the same TLS. Their own differ from libpq and from each other (pg 8.23.1, postgres 3.4.9):
 * pg cannot fall back to an unencrypted connection, postgres.js ignores certificate files and a server without TLS, and checks
 * the certificate of a server that is named by its address against `localhost`.
 */
import { isIP, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { ConnectionError, handshakeError, tlsNotSupported } from './errors.ts';
import type { ConnectionSettings } from './settings.ts';

/** The message that asks the server for TLS. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const ACCEPTED = 'S'.charCodeAt(0);
const REFUSED = 'N'.charCodeAt(0);

type Callback = (error?: Error | null) => void;

/** Opens the network connection below. */
export type CreateSocket = () => Socket;

/** A stream to a server, encrypted as the settings demand. `connect` opens it. It has the interface that clients expect. */
export class DatabaseSocket extends Duplex {
  readonly host: string;
  readonly port: number;
  readonly #settings: ConnectionSettings;
  readonly #createSocket: CreateSocket;
  /** The stream that carries the data; undefined until TLS is negotiated. */
  #stream: Socket | undefined;
  /** The stream that is being opened. */
  #opening: Socket | undefined;
  #whenOpen: (() => void) | undefined;
  #hasFailed = false;
  #isReferenced = true;

  constructor(settings: ConnectionSettings, createSocket: CreateSocket = () => new Socket()) {
    super({ allowHalfOpen: false, emitClose: false });
    this.host = settings.host;
    this.port = settings.port;
    this.#settings = settings;
    this.#createSocket = createSocket;
  }

  /** As in `net.Socket`. postgres.js reads it. */
  get readyState(): 'opening' | 'open' | 'closed' {
    if (this.destroyed) return 'closed';
    return this.#stream === undefined ? 'opening' : 'open';
  }

  /** Connects to the server of the settings; arguments are ignored. Emits `connect` when data can be sent. */
  connect(): this {
    this.#open().then(
      (stream) => this.#use(stream),
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(enable?: boolean, initialDelayMs?: number): this {
    this.#stream?.setKeepAlive(enable, initialDelayMs);
    return this;
  }

  ref(): this {
    this.#isReferenced = true;
    (this.#stream ?? this.#opening)?.ref();
    return this;
  }

  unref(): this {
    this.#isReferenced = false;
    (this.#stream ?? this.#opening)?.unref();
    return this;
  }

  override _read(): void {
    this.#stream?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Callback): void {
    this.#withStream((stream) => {
      if (stream.write(chunk)) done();
      else stream.once('drain', () => done());
    });
  }

  override _final(done: Callback): void {
    this.#withStream((stream) => {
      if (stream.destroyed) done();
      else stream.end(() => done());
    });
  }

  override _destroy(error: Error | null, done: Callback): void {
    this.#stream?.destroy();
    this.#opening?.destroy();
    this.#hasFailed = error !== null;
    done(error);
    // As in `net.Socket`, whose `close` tells whether there was an error. It follows `error`.
    setImmediate(() => this.emit('close', this.#hasFailed));
  }

  #withStream(work: (stream: Socket) => void): void {
    if (this.#stream !== undefined) work(this.#stream);
    else this.#whenOpen = () => this.#withStream(work);
  }

  #use(stream: Socket): void {
    if (this.destroyed) {
      stream.destroy();
      return;
    }
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause();
    });
    stream.on('end', () => this.push(null));
    stream.on('error', (error) => this.destroy(error));
    stream.on('close', () => {
      if (this.readableLength === 0) this.destroy();
      else this.once('end', () => this.destroy());
    });
    stream.resume();
    if (!this.#isReferenced) stream.unref();
    this.emit('connect');
    this.#whenOpen?.();
    this.#whenOpen = undefined;
  }

  /** Returns a stream that is ready for the client's first message. */
  async #open(): Promise<Socket> {
    const { mode, isDirect } = this.#settings.tls;
    const raw = await this.#connectRaw();
    // Postgres does not encrypt Unix sockets.
    if (mode === 'disable' || this.host.startsWith('/')) return raw;
    if (!isDirect && !(await this.#requestTls(raw))) return raw;
    try {
      return await this.#handshake(raw);
    } catch (error) {
      raw.destroy();
      if (mode === 'prefer' && !this.destroyed) return this.#connectRaw();
      throw error;
    }
  }

  async #connectRaw(): Promise<Socket> {
    const socket = this.#createSocket();
    this.#opening = socket;
    socket.setNoDelay(true);
    const connected = settled(socket, 'connect');
    if (this.host.startsWith('/')) socket.connect(`${this.host}/.s.PGSQL.${this.port}`);
    else socket.connect(this.port, this.host);
    await connected;
    return socket;
  }

  /** Asks for TLS. Returns false if the connection stays unencrypted. */
  async #requestTls(socket: Socket): Promise<boolean> {
    const answered = settled(socket, 'data');
    socket.write(SSL_REQUEST);
    const answer = (await answered) as Buffer;
    socket.pause();
    // More bytes than the answer come from somebody between server and client (CVE-2021-23222).
    const [first] = answer;
    if (first === ACCEPTED && answer.length === 1) return true;
    if (first === REFUSED && answer.length === 1) {
      if (this.#settings.tls.mode === 'require') throw tlsNotSupported(this.host);
      return false;
    }
    throw new ConnectionError(
      'tls_failed',
      `the server ${this.host}:${this.port} does not answer as a Postgres server`,
      'Check host and port of DATABASE_URL.',
    );
  }

  async #handshake(socket: Socket): Promise<Socket> {
    const { options, isDirect } = this.#settings.tls;
    const stream = connectTls({
      ...options,
      socket,
      // The name to check; an address is checked as well, but is not sent as server name (RFC 6066).
      host: this.host,
      ...(isIP(this.host) === 0 ? { servername: this.host } : {}),
      ...(isDirect ? { ALPNProtocols: ['postgresql'] } : {}),
    });
    this.#opening = stream;
    try {
      await settled(stream, 'secureConnect');
    } catch (error) {
      throw error instanceof ConnectionError ? error : handshakeError(error, this.host);
    }
    return stream;
  }
}

/** Resolves with the first argument of an event. @throws the socket's error, and when it is closed before */
function settled(socket: Socket, event: 'connect' | 'data' | 'secureConnect'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const clear = (): void => {
      socket.off(event, succeed).off('error', fail).off('close', close);
    };
    const succeed = (value?: unknown): void => {
      clear();
      resolve(value);
    };
    const fail = (error: Error): void => {
      clear();
      // A second error must not end the process.
      socket.on('error', () => {});
      reject(error);
    };
    const close = (): void =>
      fail(Object.assign(new Error('the server closed the connection while it was opened'), { code: 'ECONNRESET' }));
    socket.on(event, succeed).on('error', fail).on('close', close);
  });
}
