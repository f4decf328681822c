/** How the progress of `make` is shown: live in a terminal, in plain lines elsewhere, or as JSON. */
import type { MashupJob } from '../../schema.ts';
import { jsonDisplay } from './json.ts';
import { plainDisplay } from './plain.ts';
import { terminalDisplay } from './terminal.ts';

export interface Display {
  /** What is being prepared: a start, an upload. */
  step(text: string): void;
  /** The job's newest state. */
  job(job: MashupJob): void;
  /** Leaves the terminal as a reader wants to find it. Safe to call twice. */
  end(): void;
}

/** The display that fits where the output goes. */
export function chooseDisplay(asJson: boolean): Display {
  if (asJson) return jsonDisplay();
  return process.stdout.isTTY ? terminalDisplay() : plainDisplay();
}
