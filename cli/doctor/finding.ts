/** Results of the checks of `mashup doctor`. */

export interface Finding {
  name: string;
  ok: boolean;
  message: string;
  /** What to do, if the finding is not ok. */
  hint?: string;
}

/** Creates the finding of a passed check. */
export function passed(name: string, message: string): Finding {
  return { name, ok: true, message };
}

/** Creates the finding of a failed check. */
export function failed(name: string, message: string, hint: string): Finding {
  return { name, ok: false, message, hint };
}

/**
 * Runs a check. An error that it throws becomes a failed finding with the hint.
 * @param hint what to do, or a function that returns it for the error
 */
export async function runCheck(
  name: string,
  hint: string | ((error: unknown) => string),
  check: () => Promise<Finding | Finding[]>,
): Promise<Finding[]> {
  try {
    return [await check()].flat();
  } catch (error) {
    const message = error instanceof Error ? error.message.split('\n', 1)[0] || codeOf(error) : String(error);
    return [failed(name, message, typeof hint === 'string' ? hint : hint(error))];
  }
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
}
