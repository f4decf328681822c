import { useId, useRef, useState } from 'react';
import { Icon } from '../common/icons.tsx';

/** A text that can be copied. Where the browser refuses the clipboard, the text is selected for the keyboard. */
export function CopyField({
  label,
  text,
  rows = 1,
  hasFocus = false,
}: {
  label: string;
  text: string;
  rows?: number;
  /** Whether it takes the focus when it appears. */
  hasFocus?: boolean;
}) {
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const [status, setStatus] = useState('');
  const copy = async (): Promise<void> => {
    field.current?.select();
    const isCopied = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    // The older command works on pages without TLS, which have no clipboard.
    const isDone = isCopied === true || document.execCommand('copy');
    setStatus(isDone ? 'Copied' : 'Selected: press Ctrl+C, or ⌘C');
  };
  return (
    <div>
      <label htmlFor={id} className="label">
        {label}
      </label>
      <div className="mt-1 flex items-start gap-2">
        <textarea
          id={id}
          ref={field}
          readOnly
          rows={rows}
          value={text}
          autoFocus={hasFocus}
          onFocus={(event) => event.target.select()}
          className={`field min-w-0 flex-1 resize-none font-mono text-xs leading-6 ${rows === 1 ? 'whitespace-nowrap' : 'break-all'}`}
        />
        <button type="button" className="button" onClick={() => void copy()} aria-label={`Copy: ${label}`}>
          <Icon name={status === 'Copied' ? 'check' : 'link'} />
          Copy
        </button>
      </div>
      <p role="status" className="min-h-5 text-xs text-soft">
        {status}
      </p>
    </div>
  );
}
