import { useEffect, useRef } from 'react';
import type { ShownReading } from '../../state/wish-reading.ts';
import { spokenNotes } from '../../../../music/theory/spelling.ts';
import { Icon } from '../common/icons.tsx';
import { MusicText } from '../common/MusicText.tsx';
import { inQuotes } from '../../texts.ts';

const CONTRADICTORY = 'These contradict each other';

/** Whether a reading has anything to show. */
const hasParts = ({ wishes, notUnderstood, contradictory }: ShownReading): boolean =>
  wishes.length + notUnderstood.length + contradictory.length > 0;

/** What a screen reader says when a text has been read: the wishes, without their buttons and the help. */
function spokenReading({ wishes, notUnderstood, contradictory }: ShownReading, isPlanner: boolean): string {
  const understood = wishes.map(({ text }) => text).join('; ');
  const rest = `${isPlanner ? 'Left to Claude' : 'Not understood'}: ${inQuotes(notUnderstood)}.`;
  return [
    understood && `Understood: ${understood}.`,
    notUnderstood.length > 0 && rest,
    contradictory.length > 0 && `${CONTRADICTORY}: ${inQuotes(contradictory)}.`,
  ]
    .filter(Boolean)
    .join(' ');
}

/** Moves the focus after a wish was removed by its button, unless it is elsewhere by then. `removed` is the position of that wish. */
function useFocusAfterRemoval(reading: ShownReading | undefined, fieldId: string) {
  const list = useRef<HTMLDivElement>(null);
  const removed = useRef<number>(undefined);
  useEffect(() => {
    if (removed.current === undefined) return;
    const buttons = [...(list.current?.querySelectorAll('button') ?? [])];
    const next = buttons[Math.min(removed.current, buttons.length - 1)] ?? document.getElementById(fieldId);
    removed.current = undefined;
    const { activeElement, body } = document;
    if (activeElement === null || activeElement === body || list.current?.contains(activeElement)) next?.focus();
  }, [reading, fieldId]);
  return { list, removed };
}

/**
 * The wishes that are understood in a text, each removable, and what is not understood. `readBy` is who decides about it. When a wish is
 * removed, the focus goes to the next one, or to the field if there is none.
 */
export function WishChips({
  reading,
  readBy,
  fieldId,
  onChange,
}: {
  reading: ShownReading | undefined;
  readBy: 'rules' | 'planner' | undefined;
  /** The field with the text. */
  fieldId: string;
  /** Receives the text without a wish. */
  onChange: (text: string) => void;
}) {
  const isPlanner = readBy === 'planner';
  const { list, removed } = useFocusAfterRemoval(reading, fieldId);
  return (
    <>
      <p role="status" className="sr-only">
        {reading && spokenNotes(spokenReading(reading, isPlanner))}
      </p>
      <div ref={list} data-testid="wish-reading">
        {reading && hasParts(reading) && (
          <div className="mt-2 space-y-1.5 text-sm">
            {isPlanner && (
              <p className="text-soft">Claude reads your words when it plans. By the built-in rules they ask for:</p>
            )}
            {reading.wishes.length > 0 && (
              <ul className="flex flex-wrap gap-2" aria-label="Understood wishes">
                {reading.wishes.map(({ text, without }, index) => (
                  <li key={text} className="chip flex items-center gap-1 break-words text-ink">
                    <MusicText text={text} />
                    <button
                      type="button"
                      className="-mr-1.5 grid h-6 w-6 place-items-center rounded-full text-soft hover:text-ink"
                      aria-label={`Remove “${spokenNotes(text)}”`}
                      onClick={() => {
                        removed.current = index;
                        onChange(without);
                      }}
                    >
                      <Icon name="close" className="h-3.5 w-3.5" />
                    </button>
                  </li>
                ))}
              </ul>
            )}
            <LeftOver reading={reading} isPlanner={isPlanner} />
          </div>
        )}
      </div>
    </>
  );
}

/** The parts of a text without wishes: those that are not understood, and those that exclude each other. */
function LeftOver({ reading, isPlanner }: { reading: ShownReading; isPlanner: boolean }) {
  const { notUnderstood, contradictory, canBeAsked } = reading;
  const tone = isPlanner ? 'text-soft' : 'text-warn';
  return (
    <>
      {contradictory.length > 0 && (
        <p className={`break-words ${tone}`}>
          {CONTRADICTORY}: {inQuotes(contradictory)}.
        </p>
      )}
      {notUnderstood.length > 0 && (
        <p className={`break-words ${tone}`}>
          {isPlanner ? 'Left to Claude: ' : 'Not understood: '}
          {inQuotes(notUnderstood)}. {!isPlanner && <span className="text-soft">{canBeAsked}</span>}
        </p>
      )}
    </>
  );
}
