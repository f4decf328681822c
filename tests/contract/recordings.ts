/** Recorded responses of the existing services. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceName } from '../../schema.ts';

const FOLDER = join(import.meta.dirname, '..', 'fixtures', 'contracts');

/** Reads a recorded response or list of errors. */
export async function readFixture(file: string): Promise<unknown> {
  return JSON.parse(await readFile(join(FOLDER, file), 'utf8')) as unknown;
}

/** Returns the recorded error of a service whose `when` contains a text. */
export async function recordedError(
  service: ServiceName,
  when: string,
): Promise<{ status: number; contentType: string; body: unknown }> {
  const errors = (await readFixture(`${service}.errors.json`)) as {
    when: string;
    status: number;
    content_type: string;
    body: unknown;
  }[];
  const found = errors.find((error) => error.when.includes(when));
  if (!found) throw new Error(`no recorded error of ${service} has "${when}"`);
  return { status: found.status, contentType: found.content_type, body: found.body };
}

/** Returns the text of a recorded event stream. */
export async function recordedStream(name: 'success' | 'failure' | 'as-is'): Promise<string> {
  return ((await readFixture(`processing.stream.${name}.json`)) as { raw: string }).raw;
}
