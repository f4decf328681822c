/** A display of the progress of `make`. */
import type { MashupJob } from '@mashup-engine/client';

export interface Display {
  /** Shows a preparation step: the start of the stack, an upload. */
  step(text: string): void;
  /** Shows the newest state of the job. */
  job(job: MashupJob): void;
  /** Says that the connection to the server is lost, or is back. */
  connection(isLost: boolean): void;
  /** Ends the display and restores the terminal. Safe to call twice. */
  end(): void;
}
