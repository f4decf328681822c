/** The reading of a text while it is written. */
import { useEffect, useState } from 'react';
import type { Problem } from '../state/problem.ts';
import type { NamedSong, ShownReading } from '../state/wish-reading.ts';
import { inQuotes } from '../texts.ts';

/** Pause in writing after which the text is read. */
const PAUSE_MS = 250;

/** Returns the reading of the text when its writer pauses; undefined without a text, and while the reader cannot be loaded. */
export function useWishReading(text: string, songs: readonly NamedSong[]): ShownReading | undefined {
  const [reading, setReading] = useState<ShownReading>();
  const isEmpty = text.trim() === '';
  useEffect(() => {
    if (isEmpty) return;
    let isWanted = true;
    const timer = setTimeout(() => {
      import('../state/wish-reading.ts').then(
        ({ readText }) => isWanted && setReading(readText(text, songs)),
        // Without the reader the engine reads the text all the same.
        () => isWanted && setReading(undefined),
      );
    }, PAUSE_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [text, songs, isEmpty]);
  return isEmpty ? undefined : reading;
}

/** Returns why a text must not start a mashup: nothing in it is understood, or it contradicts itself. Undefined if it may, or if that cannot be known. */
export async function findWishProblem(text: string, songs: readonly NamedSong[]): Promise<Problem | undefined> {
  if (text.trim() === '') return undefined;
  const refusal = await import('../state/wish-reading.ts').then(
    ({ findRefusal }) => findRefusal(text, songs),
    () => undefined,
  );
  if (refusal === undefined) return undefined;
  return { message: `${refusal.message}: ${inQuotes(refusal.parts)}.`, hint: refusal.hint, isNotUnderstood: true };
}
