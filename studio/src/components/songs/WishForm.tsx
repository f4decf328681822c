import { useId } from 'react';
import { OUTPUT_FORMATS } from '../../../../schema/constants.ts';
import type { SubmittedOptions } from '../../../../schema.ts';

const LENGTHS = [
  ['', 'As it fits'],
  ['60', 'About 1 minute'],
  ['120', 'About 2 minutes'],
  ['180', 'About 3 minutes'],
] as const;
const FORMAT_WORDS = { wav: 'WAV, uncompressed', flac: 'FLAC, lossless', mp3: 'MP3, small' } as const;
const WISHES_MAX = 500;

/** What a user may ask of a mashup; all of it optional. */
export function WishForm({
  options,
  onChange,
}: {
  options: SubmittedOptions;
  onChange: (options: SubmittedOptions) => void;
}) {
  const id = useId();
  return (
    <div className="grid flex-1 gap-3 sm:grid-cols-[1fr_auto_auto]">
      <div>
        <label htmlFor={`${id}wishes`} className="label">
          Wishes
        </label>
        <input
          id={`${id}wishes`}
          className="field mt-1"
          maxLength={WISHES_MAX}
          placeholder="e.g. a quiet start, the first song sings"
          value={options.wishes ?? ''}
          onChange={(event) => onChange({ ...options, wishes: event.target.value || undefined })}
        />
      </div>
      <div>
        <label htmlFor={`${id}length`} className="label">
          Length
        </label>
        <select
          id={`${id}length`}
          className="field mt-1"
          value={options.length_sec ?? ''}
          onChange={(event) => onChange({ ...options, length_sec: Number(event.target.value) || undefined })}
        >
          {LENGTHS.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </div>
      <div>
        <label htmlFor={`${id}format`} className="label">
          File
        </label>
        <select
          id={`${id}format`}
          className="field mt-1"
          value={options.format ?? 'wav'}
          onChange={(event) =>
            onChange({ ...options, format: OUTPUT_FORMATS.find((format) => format === event.target.value) })
          }
        >
          {OUTPUT_FORMATS.map((format) => (
            <option key={format} value={format}>
              {FORMAT_WORDS[format]}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}
