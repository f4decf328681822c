import { Fragment } from 'react';
import { spokenNotes, splitNotes } from '../../../../music/theory/spelling.ts';

/** A text with names of notes. Screen readers read `B♭` as `B flat`; many skip the sign or read its Unicode name. */
export function MusicText({ text }: { text: string }) {
  const pieces = splitNotes(text);
  if (pieces.length === 1) return text;
  return (
    // One element: spaces between the items of a flexible box are lost.
    <span>
      {pieces.map((piece, at) =>
        at % 2 === 0 ? (
          piece
        ) : (
          <Fragment key={at}>
            <span aria-hidden="true">{piece}</span>
            <span className="sr-only select-none">{spokenNotes(piece)}</span>
          </Fragment>
        ),
      )}
    </span>
  );
}
