import { useId } from 'react';
import type { ReactNode } from 'react';
import { OUTPUT_FORMATS } from '../../../../schema/constants.ts';
import type { MashupOptions } from '@mashup-engine/client';
import { useSeparators } from '../../hooks/useSeparators.ts';
import { modelName } from '../../texts.ts';
import { StudioVersionSwitch } from './StudioVersionSwitch.tsx';

const LENGTHS = [
  ['', 'Automatic'],
  ['60', 'About 1 minute'],
  ['120', 'About 2 minutes'],
  ['180', 'About 3 minutes'],
] as const;
const FORMAT_NAMES = { wav: 'WAV, uncompressed', flac: 'FLAC, lossless', mp3: 'MP3, small' } as const;
const FORMATS = OUTPUT_FORMATS.map((format) => [format, FORMAT_NAMES[format]] as const);
const SEPARATIONS = ['classical', 'neural'] as const;
const WISHES_MAX = 500;

/** Optional settings of a mashup: wishes, length, file format, and where there is a separation model what separates the songs. */
export function WishForm({
  options,
  onChange,
}: {
  options: MashupOptions;
  onChange: (options: MashupOptions) => void;
}) {
  const id = useId();
  const separators = useSeparators();
  const model = separators?.neural ?? null;
  return (
    <div
      className={`grid flex-1 gap-3 ${model === null ? 'sm:grid-cols-[1fr_auto_auto]' : 'sm:grid-cols-[1fr_auto_auto_auto]'}`}
    >
      <Field id={`${id}wishes`} label="Wishes">
        <input
          id={`${id}wishes`}
          className="field mt-1"
          maxLength={WISHES_MAX}
          placeholder="e.g. a quiet start, the first song sings"
          value={options.wishes ?? ''}
          onChange={(event) => onChange({ ...options, wishes: event.target.value || undefined })}
        />
      </Field>
      <Field id={`${id}length`} label="Length">
        <Select
          id={`${id}length`}
          choices={LENGTHS}
          value={options.lengthSec ?? ''}
          onChange={(value) => onChange({ ...options, lengthSec: Number(value) || undefined })}
        />
      </Field>
      <Field id={`${id}format`} label="File">
        <Select
          id={`${id}format`}
          choices={FORMATS}
          value={options.format ?? 'wav'}
          onChange={(value) => onChange({ ...options, format: OUTPUT_FORMATS.find((format) => format === value) })}
        />
      </Field>
      {separators && model !== null && (
        <>
          <Field id={`${id}separation`} label="Stems">
            <Select
              id={`${id}separation`}
              choices={[
                ['', 'Automatic'],
                ['classical', 'Fast: built-in method'],
                ['neural', `Best: ${modelName(model)}`],
              ]}
              value={options.separation ?? ''}
              onChange={(value) => onChange({ ...options, separation: SEPARATIONS.find((choice) => choice === value) })}
            />
          </Field>
          <StudioVersionSwitch {...{ options, onChange }} isOnByDefault={separators.studioVersionByDefault} />
        </>
      )}
    </div>
  );
}

function Field({ id, label, children }: { id: string; label: string; children: ReactNode }) {
  return (
    <div>
      <label htmlFor={id} className="label">
        {label}
      </label>
      {children}
    </div>
  );
}

function Select({
  id,
  choices,
  value,
  onChange,
}: {
  id: string;
  /** Values with their labels. */
  choices: readonly (readonly [string, string])[];
  value: string | number;
  onChange: (value: string) => void;
}) {
  return (
    <select id={id} className="field mt-1" value={value} onChange={(event) => onChange(event.target.value)}>
      {choices.map(([choice, label]) => (
        <option key={choice} value={choice}>
          {label}
        </option>
      ))}
    </select>
  );
}
