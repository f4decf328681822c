import type { ComponentProps } from 'react';

/** A labelled input of a form, with a rule below it. */
export function Field({
  id,
  label,
  rule,
  onText,
  ...input
}: ComponentProps<'input'> & {
  id: string;
  label: string;
  /** Shown below the input. */
  rule?: string;
  onText: (text: string) => void;
}) {
  const ruleId = `${id}-rule`;
  return (
    <div>
      <label className="label" htmlFor={id}>
        {label}
      </label>
      <input
        id={id}
        className="field mt-1"
        required
        aria-describedby={rule === undefined ? undefined : ruleId}
        onChange={(event) => onText(event.target.value)}
        {...input}
      />
      {rule !== undefined && (
        <p id={ruleId} className="mt-1 text-xs text-soft">
          {rule}
        </p>
      )}
    </div>
  );
}
