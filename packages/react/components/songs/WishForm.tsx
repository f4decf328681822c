import { useId } from 'react';
import type { ReactNode } from 'react';
import { OUTPUT_FORMATS } from '../../../../schema/constants.ts';
import type { MashupOptions, Separators } from '@mashup-engine/client';
import { useSeparators } from '../../hooks/useSeparators.ts';
import { modelName } from '../../texts.ts';
import { useWishReading } from '../../hooks/useWishReading.ts';
import { useStore } from '../../state/store.ts';
import { useStudio } from '../../state/studio.tsx';
import type { NamedSong } from '../../state/wish-reading.ts';
import { WishChips } from '../wishes/WishChips.tsx';
import { LengthChoice } from './LengthChoice.tsx';
import { StudioVersionSwitch } from './StudioVersionSwitch.tsx';

const FORMAT_NAMES = { wav: 'WAV, uncompressed', flac: 'FLAC, lossless', mp3: 'MP3, small' } as const;
const FORMATS = OUTPUT_FORMATS.map((format) => [format, FORMAT_NAMES[format]] as const);
const SEPARATIONS = ['classical', 'neural'] as const;
const WISHES_MAX = 500;

/** Optional settings of a mashup: wishes, length, file format, and where there is a separation model what separates the songs. */
export function WishForm({
  options,
  songs,
  onChange,
}: {
  options: MashupOptions;
  /** The songs that wishes may name. */
  songs: readonly NamedSong[];
  onChange: (options: MashupOptions) => void;
}) {
  const id = useId();
  const separators = useSeparators();
  const reading = useWishReading(options.wishes ?? '', songs);
  const readBy = useStore(useStudio().selection).wishesReadBy;
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
        <WishChips
          reading={reading}
          readBy={readBy}
          fieldId={`${id}wishes`}
          onChange={(wishes) => onChange({ ...options, wishes: wishes || undefined })}
        />
      </Field>
      <LengthChoice value={options} onChange={(length) => onChange({ ...options, ...length })} />
      <Field id={`${id}format`} label="File">
        <Select
          id={`${id}format`}
          choices={FORMATS}
          value={options.format ?? 'wav'}
          onChange={(value) => onChange({ ...options, format: OUTPUT_FORMATS.find((format) => format === value) })}
        />
      </Field>
      {separators && <SeparationFields {...{ id, options, separators, onChange }} />}
    </div>
  );
}

/** What separates the songs; nothing where there is no model. */
function SeparationFields({
  id,
  options,
  separators,
  onChange,
}: {
  id: string;
  options: MashupOptions;
  separators: Separators;
  onChange: (options: MashupOptions) => void;
}) {
  const model = separators.neural;
  if (model === null) return null;
  return (
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
