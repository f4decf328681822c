/** One examination: what was looked at, whether it is well, and if not what to do. */
export interface Finding {
  name: string;
  ok: boolean;
  /** What was found. */
  message: string;
  /** What to do; for findings that are not ok. */
  hint?: string;
}

/** A finding that all is well. */
export function well(name: string, message: string): Finding {
  return { name, ok: true, message };
}

/** A finding that something is wrong. */
export function wrong(name: string, message: string, hint: string): Finding {
  return { name, ok: false, message, hint };
}

/** Runs an examination that may fail in ways of its own: that is a finding as well. */
export async function examine(
  name: string,
  hint: string,
  look: () => Promise<Finding | Finding[]>,
): Promise<Finding[]> {
  try {
    return [await look()].flat();
  } catch (error) {
    return [wrong(name, error instanceof Error ? error.message.split('\n', 1)[0] || error.name : String(error), hint)];
  }
}
