/** What the user of a mashup has to know about its rendering. */
import type { RenderWarning } from '../../schema/constants.ts';
import type { RenderResult } from '../../schema.ts';
import { redact } from '../redact.ts';

export type CodedWarning = { code: RenderWarning; message: string };

/** Bytes of a message are limited in the job's row; this is the limit of characters here. */
const MAX_LENGTH = 300;

/**
 * Lists the warnings of a rendered mashup, most important first: failed hard checks, faults that the worker found in the file, and the
 * notes of the renderer. A message occurs once.
 * @param result the measurements of the service; undefined if it sent none
 * @param found warnings of the worker
 * @param notes warnings that the service sent during the render
 */
export function renderWarnings(
  result: RenderResult | undefined,
  found: readonly CodedWarning[],
  notes: readonly string[],
): CodedWarning[] {
  const failed = (result?.quality?.checks ?? []).filter(({ passed, kind }) => !passed && kind === 'hard');
  const all: CodedWarning[] = [
    ...failed.map(({ name, message }) => ({
      code: 'quality_check_failed' as const,
      message: message ?? `The quality check "${name.replaceAll('_', ' ')}" failed.`,
    })),
    ...found,
    ...[...(result?.warnings ?? []), ...notes].map((message) => ({ code: 'render_note' as const, message })),
  ];
  const seen = new Set<string>();
  return all
    .map(({ code, message }) => ({ code, message: redact(message, MAX_LENGTH) }))
    .filter(({ message }) => message !== '' && !seen.has(message) && seen.add(message));
}
