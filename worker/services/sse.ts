/** Reads server-sent events of the services. */
import { createParser } from 'eventsource-parser';
import { asObject } from './read.ts';

/** Longest event that is read; longer ones are skipped. Characters. */
const MAX_EVENT_CHARS = 1_000_000;

/**
 * Yields the data of each event. Chunks may end anywhere. Comments and other fields are skipped. Unlike browsers, this also
 * yields a last event without a blank line after it: services that end their stream early leave it out.
 */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const events: string[] = [];
  let isOverflow = false;
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARS,
    onEvent: ({ data }) => void (data !== '' && events.push(data)),
    onError: ({ type }) => (isOverflow ||= type === 'max-buffer-size-exceeded'),
  });
  const parse = (text: string): string[] => {
    parser.feed(text);
    // After an overflow the parser takes no more input until it is reset.
    if (isOverflow) parser.reset();
    isOverflow = false;
    return events.splice(0);
  };
  for await (const chunk of chunks) yield* parse(decoder.decode(chunk, { stream: true }));
  yield* parse(`${decoder.decode()}\n\n`);
}

/** Parses the data of an event as an object. Returns an empty object for anything else. */
export function parseEvent(data: string): Record<string, unknown> {
  try {
    return asObject(JSON.parse(data));
  } catch {
    return {};
  }
}
