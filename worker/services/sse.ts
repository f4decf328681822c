/** Server-sent events as the rendering service writes them: `data:` lines, events parted by blank lines. */

import { asObject } from './read.ts';

/** Longest event that is taken in. */
const MAX_EVENT_CHARS = 1_000_000;

/** Answers the data of each event as it completes, across chunks; comments and other fields are skipped. */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let buffer = '';
  for await (const chunk of chunks) {
    buffer += decoder.decode(chunk, { stream: true });
    // A carriage return at the end may be the first half of a line end.
    const complete = buffer.endsWith('\r') ? buffer.length - 1 : buffer.length;
    const parts = (buffer.slice(0, complete).replace(/\r\n?/g, '\n') + buffer.slice(complete)).split(/\n\n+/);
    buffer = parts.pop() ?? '';
    if (buffer.length > MAX_EVENT_CHARS) buffer = '';
    for (const part of parts) {
      const data = dataOf(part);
      if (data !== '') yield data;
    }
  }
  const last = dataOf((buffer + decoder.decode()).replace(/\r\n?/g, '\n'));
  if (last !== '') yield last;
}

function dataOf(event: string): string {
  return event
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5).replace(/^ /, ''))
    .join('\n');
}

/** An event's data as an object; data that is none says nothing. */
export function parseEvent(data: string): Record<string, unknown> {
  try {
    return asObject(JSON.parse(data));
  } catch {
    return {};
  }
}
