/** What buttons, keys of the page and media keys do with a player. */
import { useEffect, useRef } from 'react';
import type { PlayerControls } from '../../hooks/usePlayback.ts';
import { pageKey } from '../../keys.ts';
import { nextStart, previousStart, sectionAt } from './sections.ts';
import type { PlayerSection } from './sections.ts';

export interface PlayerActions {
  /** Plays or pauses. */
  toggle(): void;
  /** Jumps to a position in seconds. A section that is repeated gives way to that of the position. */
  seek(seconds: number): void;
  /** Jumps and plays. */
  playFrom(seconds: number): void;
  /** Goes to the start of the section, or of the one before; undefined without sections. */
  previous: (() => void) | undefined;
  /** Goes to the next section; undefined in the last one. */
  next: (() => void) | undefined;
  /** Repeats the section, or ends that; undefined without sections. */
  repeat: (() => void) | undefined;
  isRepeating: boolean;
}

const rangeOf = ({ start, duration }: PlayerSection): { startSec: number; endSec: number } => ({
  startSec: start,
  endSec: start + duration,
});

/** The actions of a player whose mashup has these sections. */
export function usePlayerActions(
  player: PlayerControls,
  sections: readonly PlayerSection[],
  durationSec: number,
): PlayerActions {
  const { loop, time, source } = player;
  const isKnown = loop === undefined || sections.some(({ start }) => start === loop.startSec);
  // Another mashup has other sections.
  useEffect(() => {
    if (!isKnown) player.setLoop(undefined);
  }, [isKnown]);

  const jump = (seconds: number): void => {
    const to = Math.max(0, Math.min(durationSec || Infinity, seconds));
    const section = sections[sectionAt(sections, to)];
    if (loop !== undefined && section !== undefined) player.setLoop(rangeOf(section));
    player.seek(to);
  };
  const current = sections[sectionAt(sections, time)];
  const hasSections = sections.length > 1 && source !== undefined;
  const following = nextStart(sections, time);
  return {
    toggle: player.toggle,
    seek: jump,
    playFrom(seconds) {
      jump(seconds);
      player.play();
    },
    previous: hasSections ? () => jump(previousStart(sections, time)) : undefined,
    next: hasSections && following !== undefined ? () => jump(following) : undefined,
    repeat:
      hasSections && current ? () => player.setLoop(loop === undefined ? rangeOf(current) : undefined) : undefined,
    isRepeating: loop !== undefined,
  };
}

/** Keys that act once, however long they are held. */
const ONCE: ReadonlySet<string> = new Set([' ', 'k', 'm', 'r', 'p', 'n', '?']);

/** Lets keys of the page control a player. @param isActive whether there is something to play */
export function usePlayerKeys(
  isActive: boolean,
  player: PlayerControls,
  actions: PlayerActions,
  showHelp: () => void,
): void {
  const press = (key: string): (() => void) | undefined =>
    ({
      ' ': actions.toggle,
      k: actions.toggle,
      arrowleft: () => actions.seek(player.time - 5),
      arrowright: () => actions.seek(player.time + 5),
      j: () => actions.seek(player.time - 10),
      l: () => actions.seek(player.time + 10),
      m: player.loudness.toggleMute,
      r: actions.repeat,
      p: actions.previous,
      n: actions.next,
      '?': showHelp,
    })[key];
  const latest = useRef(press);
  latest.current = press;
  useEffect(() => {
    if (!isActive) return;
    const onKeyDown = (event: KeyboardEvent): void => {
      const key = pageKey(event);
      const act = key === undefined ? undefined : latest.current(key);
      if (key === undefined || act === undefined) return;
      // The space bar scrolls the page.
      event.preventDefault();
      if (!(event.repeat && ONCE.has(key))) act();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, [isActive]);
}
