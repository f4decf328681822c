/** Keys of the page: which key presses are meant for the player. */
import { readStored, writeStored } from './state/stored.ts';

/** Elements in which keys are text or choose something. */
const TEXT_FIELDS =
  'input:not([type=range], [type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]';
/** Elements that the space bar presses. */
const PRESSED_BY_SPACE =
  'button, a[href], summary, input:not([type=range]), [role=button], [role=checkbox], [role=switch]';
/** Elements that arrow keys change or move in. */
const CHANGED_BY_ARROWS =
  'input, audio, video, [role=slider], [role=spinbutton], [role=listbox], [role=radio], [role=tab], [role=menuitem], [role=grid]';

const ON_KEY = 'mashup-keys';
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';

/** Whether single keys of the page are on: a choice that the browser keeps. */
export const areKeysOn = (): boolean => readStored(ON_KEY, true, isBoolean);

/** Turns the single keys of the page on or off. */
export const turnKeys = (isOn: boolean): void => writeStored(ON_KEY, isOn);

/**
 * Returns the key that was pressed, in lower case, if it is meant for the page: no modifier is held, nobody has used it yet, and the
 * focus is not on an element that needs it. Otherwise undefined.
 */
export function pageKey(event: KeyboardEvent): string | undefined {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const key = event.key.toLowerCase();
  // With Shift a letter is another key; the question mark needs it on most keyboards.
  if (event.shiftKey && key !== '?') return undefined;
  const { target } = event;
  if (target instanceof Element) {
    if (target.closest(`${TEXT_FIELDS}, dialog, [role=dialog]`)) return undefined;
    if (key === ' ' && target.closest(PRESSED_BY_SPACE)) return undefined;
    if (key.startsWith('arrow') && target.closest(CHANGED_BY_ARROWS)) return undefined;
  }
  return areKeysOn() || key === '?' ? key : undefined;
}
