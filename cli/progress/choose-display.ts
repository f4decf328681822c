/** Chooses how the progress of `make` is shown. */
import type { Display } from './display.ts';
import { jsonDisplay } from './json.ts';
import { plainDisplay } from './plain.ts';
import { terminalDisplay } from './terminal.ts';

/** Returns the display for the output: JSON lines, a live display in a terminal, plain lines elsewhere. */
export function chooseDisplay(asJson: boolean): Display {
  if (asJson) return jsonDisplay();
  return process.stdout.isTTY ? terminalDisplay() : plainDisplay();
}
