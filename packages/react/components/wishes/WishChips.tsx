import type { ShownReading } from '../../state/wish-reading.ts';
import { Icon } from '../common/icons.tsx';

/** The wishes that are understood in a text, each removable, and what is not understood. `readBy` is who decides about it. */
export function WishChips({
  reading,
  readBy,
  onChange,
}: {
  reading: ShownReading | undefined;
  readBy: 'rules' | 'planner' | undefined;
  /** Receives the text without a wish. */
  onChange: (text: string) => void;
}) {
  const isPlanner = readBy === 'planner';
  return (
    <div role="status" aria-label="What is understood" data-testid="wish-reading">
      {reading && (reading.wishes.length > 0 || reading.notUnderstood.length > 0) && (
        <div className="mt-2 space-y-1.5 text-sm">
          {isPlanner && (
            <p className="text-soft">Claude reads your words when it plans. By the built-in rules they ask for:</p>
          )}
          {reading.wishes.length > 0 && (
            <ul className="flex flex-wrap gap-2" aria-label="Understood wishes">
              {reading.wishes.map(({ text, without }) => (
                <li key={text} className="chip flex items-center gap-1 break-words text-ink">
                  {text}
                  <button
                    type="button"
                    className="-mr-1.5 grid h-6 w-6 place-items-center rounded-full text-soft hover:text-ink"
                    aria-label={`Remove “${text}”`}
                    onClick={() => onChange(without)}
                  >
                    <Icon name="close" className="h-3.5 w-3.5" />
                  </button>
                </li>
              ))}
            </ul>
          )}
          {reading.notUnderstood.length > 0 && (
            <p className={`break-words ${isPlanner ? 'text-soft' : 'text-warn'}`}>
              {isPlanner ? 'Left to Claude: ' : 'Not understood: '}
              {reading.notUnderstood.map((part) => `“${part}”`).join(', ')}.{' '}
              {!isPlanner && <span className="text-soft">{reading.canBeAsked}</span>}
            </p>
          )}
        </div>
      )}
    </div>
  );
}
