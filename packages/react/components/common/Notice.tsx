import type { ReactNode } from 'react';
import type { Problem } from '../../state/problem.ts';
import { Icon } from './icons.tsx';
import { MusicText } from './MusicText.tsx';

const KINDS = {
  bad: 'border-bad/40 bg-bad/10',
  warn: 'border-warn/40 bg-warn/10',
} as const;

/** A problem with a hint. Screen readers announce it when it appears. */
export function Notice({
  problem,
  kind = 'bad',
  onDismiss,
  children,
}: {
  problem: Problem;
  kind?: keyof typeof KINDS;
  onDismiss?: () => void;
  children?: ReactNode;
}) {
  return (
    <div
      role={kind === 'bad' ? 'alert' : 'status'}
      className={`mashup-ui flex items-start gap-3 rounded-xl border p-3 ${KINDS[kind]}`}
    >
      <Icon name="warning" className={`mt-0.5 h-5 w-5 ${kind === 'bad' ? 'text-bad' : 'text-warn'}`} />
      <div className="min-w-0 flex-1 text-sm">
        <p className="break-words font-medium">
          <MusicText text={problem.message} />
        </p>
        {problem.hint !== '' && (
          <p className="mt-0.5 text-soft">
            <MusicText text={problem.hint} />
          </p>
        )}
        {children}
      </div>
      {onDismiss && (
        <button type="button" className="button-quiet -m-1" onClick={onDismiss} aria-label="Dismiss this message">
          <Icon name="close" />
        </button>
      )}
    </div>
  );
}
