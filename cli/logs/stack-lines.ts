/** Log lines of the local stack's processes, from their files. They are there after the stack has ended as well. */
import { open, readdir, watch } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogLine } from './lines.ts';

/** What is read of the end of each file at the start. */
const TAIL_BYTES = 200_000;

/** How far a file has been read. A file with another inode has taken its place. */
interface Position {
  inode: number;
  offset: number;
  /** A line that is not complete yet. */
  rest: string;
}

/** Reads the files of a folder, each from where it was read before. */
export class StackLogs {
  readonly #folder: string;
  readonly #source: string | undefined;
  readonly #positions = new Map<string, Position>();

  /** @param source reads only the log of this process */
  constructor(folder: string, source?: string) {
    this.#folder = folder;
    this.#source = source;
  }

  /** Returns the lines that are new since the last call, in the order of their times. */
  async read(): Promise<LogLine[]> {
    const names = (await readdir(this.#folder)).filter((name) => name.endsWith('.log'));
    const wanted = names.filter((name) => this.#source === undefined || name === `${this.#source}.log`);
    const lines = (await Promise.all(wanted.map((name) => this.#readFile(name)))).flat();
    return lines.sort((a, b) => a.at.localeCompare(b.at));
  }

  /** Yields new lines as they are written, until `signal` aborts. */
  async *follow(signal: AbortSignal): AsyncGenerator<LogLine> {
    try {
      for await (const _ of watch(this.#folder, { signal })) yield* await this.read();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #readFile(name: string): Promise<LogLine[]> {
    const file = await open(join(this.#folder, name)).catch(() => undefined);
    if (file === undefined) return [];
    try {
      const { size, ino: inode } = await file.stat();
      const known = this.#positions.get(name);
      const isSame = known?.inode === inode && known.offset <= size;
      const isFirst = this.#positions.size === 0 || known === undefined;
      const offset = isSame ? known.offset : isFirst ? Math.max(0, size - TAIL_BYTES) : 0;
      const { bytesRead, buffer } = await file.read(Buffer.alloc(size - offset), 0, size - offset, offset);
      const text = (isSame ? known.rest : '') + buffer.toString('utf8', 0, bytesRead);
      const lines = text.split('\n');
      this.#positions.set(name, { inode, offset: offset + bytesRead, rest: lines.pop() ?? '' });
      // The first line of a tail is cut.
      if (!isSame && offset > 0) lines.shift();
      return lines.map((line) => toLine(line, name.slice(0, -'.log'.length)));
    } finally {
      await file.close();
    }
  }
}

/** Reads a line of a file: a time, then JSON or text. */
export function toLine(line: string, source: string): LogLine {
  const [, at, rest] = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (.*)$/.exec(line) ?? [undefined, new Date(0).toISOString(), line];
  const members = parse(rest!);
  if (members === undefined) return { at: at!, source, level: 'info', text: rest!, fields: {} };
  const { level, time: _time, message, ...fields } = members;
  return {
    at: at!,
    source,
    level: typeof level === 'string' ? level : 'info',
    text: typeof message === 'string' ? message : '',
    fields,
  };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
