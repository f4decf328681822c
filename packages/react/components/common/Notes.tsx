import { Icon } from './icons.tsx';
import { MusicText } from './MusicText.tsx';

/** A list of warnings; nothing without any. `label` names it for screen readers. */
export function Notes({ messages, label }: { messages: readonly string[]; label: string }) {
  if (messages.length === 0) return null;
  return (
    <ul className="mt-3 space-y-1 text-sm text-soft" aria-label={label}>
      {messages.map((message) => (
        <li key={message} className="flex gap-2">
          <Icon name="warning" className="mt-0.5 h-4 w-4 shrink-0 text-warn" />
          <span>
            <MusicText text={message} />
          </span>
        </li>
      ))}
    </ul>
  );
}
