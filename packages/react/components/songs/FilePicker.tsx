import { useRef } from 'react';
import { ACCEPTED_FILES } from '../../state/songs.ts';
import { Icon } from '../common/icons.tsx';

/** A button that opens the browser's file dialog. */
export function FilePicker({
  label,
  className,
  title = 'Audio files',
  onFiles,
}: {
  label: string;
  /** Which files are chosen, for screen readers. */
  title?: string;
  className: string;
  onFiles: (files: File[]) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        accept={ACCEPTED_FILES}
        className="sr-only"
        tabIndex={-1}
        aria-label={title}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          // The same file can be chosen again.
          event.target.value = '';
        }}
      />
      <button type="button" className={className} onClick={() => input.current?.click()}>
        <Icon name="add" />
        {label}
      </button>
    </>
  );
}
