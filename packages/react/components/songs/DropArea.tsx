import { useState } from 'react';
import type { DragEvent } from 'react';
import { SONG_COUNT_TEXT } from '../../state/songs.ts';
import { FilePicker } from './FilePicker.tsx';

/** Accepts files by drag and drop or by a dialog, and song ids that are dragged as plain text. */
export function DropArea({
  isSmall = false,
  onFiles,
  onSongId,
}: {
  /** Smaller, for use beside songs that are selected already. */
  isSmall?: boolean;
  onFiles: (files: File[]) => void;
  onSongId: (id: string) => void;
}) {
  const [isOver, setIsOver] = useState(false);

  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setIsOver(false);
    const files = [...event.dataTransfer.files];
    const text = event.dataTransfer.getData('text/plain');
    if (files.length > 0) onFiles(files);
    else if (text !== '') onSongId(text.trim());
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
        {isSmall ? (
          <p className="mb-3 text-sm text-soft">Drop another one here</p>
        ) : (
          <>
            <p className="text-xl font-semibold sm:text-2xl">Drop {SONG_COUNT_TEXT} here</p>
            <p className="mt-2 text-sm text-soft">
              MP3, WAV, AIFF, FLAC, Ogg or M4A, up to 50 MB each. Nothing is published.
            </p>
          </>
        )}
        <FilePicker
          label={isSmall ? 'Add a song' : 'Choose files'}
          className={isSmall ? 'button' : 'button-primary mt-5'}
          onFiles={onFiles}
        />
      </div>
    </div>
  );
}
