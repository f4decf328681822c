import { useRef, useState } from 'react';
import type { DragEvent } from 'react';
import { ACCEPTED_FILES, SONG_COUNT_TEXT } from '../../state/songs.ts';
import { Icon } from '../common/icons.tsx';

/** Takes files by drop or choice, and song ids that a list drags as plain text. */
export function DropArea({
  isSmall = false,
  onFiles,
  onSongId,
}: {
  /** Beside songs that are there already. */
  isSmall?: boolean;
  onFiles: (files: File[]) => void;
  onSongId: (id: string) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setIsOver] = useState(false);

  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setIsOver(false);
    const files = [...event.dataTransfer.files];
    if (files.length > 0) onFiles(files);
    else if (event.dataTransfer.getData('text/plain') !== '') onSongId(event.dataTransfer.getData('text/plain').trim());
  };

  return (
    <div
      data-testid="drop-area"
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={drop}
      className={`grid place-items-center rounded-2xl border-2 border-dashed px-4 text-center transition-colors ${
        isOver ? 'border-accent bg-accent/10' : 'border-line bg-panel/50'
      } ${isSmall ? 'py-5' : 'py-10 sm:py-14'}`}
    >
      <div>
        {!isSmall && (
          <>
            <p className="text-xl font-semibold sm:text-2xl">Drop {SONG_COUNT_TEXT} here</p>
            <p className="mt-2 text-sm text-soft">
              MP3, WAV, FLAC, Ogg or M4A, up to 50 MB each. Nothing is published.
            </p>
          </>
        )}
        {isSmall && <p className="mb-3 text-sm text-soft">Drop another one here</p>}
        <input
          ref={input}
          type="file"
          multiple
          accept={ACCEPTED_FILES}
          className="sr-only"
          tabIndex={-1}
          aria-label="Audio files"
          onChange={(event) => {
            onFiles([...(event.target.files ?? [])]);
            event.target.value = '';
          }}
        />
        <button
          type="button"
          className={isSmall ? 'button' : 'button-primary mt-5'}
          onClick={() => input.current?.click()}
        >
          <Icon name="add" />
          {isSmall ? 'Add a song' : 'Choose files'}
        </button>
      </div>
    </div>
  );
}
