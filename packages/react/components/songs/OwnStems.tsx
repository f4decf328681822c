import { useId, useState } from 'react';
import type { OwnStem } from '@mashup-engine/client';
import { OWN_STEMS } from '../../../../schema/constants.ts';
import { stemOfName } from '../../../../music/theory/stem-names.ts';
import { OWN_STEM_NAMES, stemTitle } from '../../../../music/theory/stem-texts.ts';
import type { Problem } from '../../state/problem.ts';
import { findFileProblem } from '../../state/songs.ts';
import type { StudioSong, StudioStem } from '../../state/songs.ts';
import { FilePicker } from './FilePicker.tsx';
import type { SongCardProps } from './song-card-props.ts';

/** What stems are called in the list of choices. */
const titleOf = (stem: OwnStem): string => (stem === 'vocals' ? 'Vocals (acapella)' : stemTitle(stem));

/** A chosen file; without `stem` it is not used. */
type Choice = Omit<StudioStem, 'stem'> & { stem: OwnStem | undefined };

type OwnStemsProps = Pick<SongCardProps, 'song' | 'upload'> & { onChange: (song: StudioSong) => void };

/** The files that are chosen for a song, until they are used. */
function useStemChoices({ song, upload, onChange }: OwnStemsProps) {
  const [choices, setChoices] = useState<Choice[]>(song.own_stems ?? []);
  const [problem, setProblem] = useState<Problem>();
  const fault = problem ?? faultOf(choices);
  const used: readonly Choice[] = song.own_stems ?? [];
  const isChanged = choices.length !== used.length || choices.some((choice, at) => !isSame(choice, used[at]));

  const addFiles = async (files: File[]): Promise<void> => {
    const added: Choice[] = [];
    setProblem(undefined);
    for (const file of files) {
      const refused = await findFileProblem(file);
      if (refused) setProblem(refused);
      else added.push({ stem: freeStem([...choices, ...added], file.name), name: file.name, file });
    }
    setChoices([...choices, ...added]);
  };
  const use = (): void => {
    const stems = choices.flatMap((choice) => (choice.stem ? [{ ...choice, stem: choice.stem }] : []));
    const { own_stems: before = [], ...rest } = song;
    const known = upload?.submitted;
    onChange({
      ...rest,
      // Another choice of stems is analysed again; what is in Storage stays there.
      id: crypto.randomUUID(),
      storage_path: song.storage_path ?? known?.storagePath,
      own_stems: stems.map((stem) => {
        const same = before.some((one) => isSame(one, stem));
        return { ...stem, storage_path: stem.storage_path ?? (same ? known?.stems?.[stem.stem] : undefined) };
      }),
    });
  };
  return { choices, setChoices, fault, isChanged, addFiles, use };
}

/** The stems of a song that the user has: files are added, their stems are recognised by name and can be changed. */
export function OwnStems(props: OwnStemsProps) {
  const { choices, setChoices, fault, isChanged, addFiles, use } = useStemChoices(props);
  return (
    <details
      className="mt-4 border-t border-line pt-3 text-sm"
      open={choices.length > 0 || undefined}
      data-testid="own-stems"
    >
      <summary className="cursor-pointer text-soft">
        {choices.length > 0 ? `Your own stems (${choices.length})` : 'Add your own stems'}
      </summary>
      <p className="mt-2 text-xs text-soft">
        An acapella, an instrumental, or the stems of this song. They are used as they are, and only what is missing is
        separated.
      </p>
      <ul className="mt-2 space-y-2">
        {choices.map((choice, at) => (
          <StemRow
            key={`${at} ${choice.name}`}
            choice={choice}
            onChange={(stem) => setChoices(choices.map((one, i) => (i === at ? { ...one, stem } : one)))}
            onRemove={() => setChoices(choices.filter((_, i) => i !== at))}
          />
        ))}
      </ul>
      {fault && (
        <p role="alert" className="mt-2 rounded-xl bg-bad/10 p-2">
          {fault.message} <span className="text-soft">{fault.hint}</span>
        </p>
      )}
      <div className="mt-2 flex flex-wrap gap-2">
        <FilePicker
          label="Choose stems"
          title={`Stems of ${props.song.name}`}
          className="button"
          onFiles={(files) => void addFiles(files)}
        />
        {isChanged && (
          <button type="button" className="button-primary" disabled={faultOf(choices) !== undefined} onClick={use}>
            {choices.length > 0 ? 'Use these stems' : 'Use none'}
          </button>
        )}
      </div>
    </details>
  );
}

function StemRow({
  choice,
  onChange,
  onRemove,
}: {
  choice: Choice;
  onChange: (stem: OwnStem | undefined) => void;
  onRemove: () => void;
}) {
  const id = useId();
  return (
    <li className="flex flex-wrap items-center gap-2">
      <label htmlFor={id} className="min-w-0 flex-1 truncate" title={choice.name}>
        {choice.name}
      </label>
      <select
        id={id}
        className="rounded-lg border border-line bg-raised px-2 py-1"
        value={choice.stem ?? ''}
        onChange={(event) => onChange(OWN_STEMS.find((stem) => stem === event.target.value))}
      >
        <option value="">not used</option>
        {OWN_STEMS.map((stem) => (
          <option key={stem} value={stem}>
            {titleOf(stem)}
          </option>
        ))}
      </select>
      <button type="button" className="button-quiet" onClick={onRemove}>
        Remove<span className="sr-only"> {choice.name}</span>
      </button>
    </li>
  );
}

/** Whether two choices are the same file as the same stem. Other files may have the same name. */
const isSame = (one: Choice, other: Choice | undefined): boolean =>
  one.stem === other?.stem && one.name === other?.name && one.file === other?.file;

/** The stem that the name of a file says, if no other file is it. */
function freeStem(choices: readonly Choice[], fileName: string): OwnStem | undefined {
  const stem = stemOfName(fileName);
  return stem === undefined || stem === 'song' || choices.some((choice) => choice.stem === stem) ? undefined : stem;
}

/** Why the choices cannot be used. */
function faultOf(choices: readonly Choice[]): Problem | undefined {
  const stems = choices.flatMap(({ stem }) => stem ?? []);
  const twice = stems.find((stem, at) => stems.indexOf(stem) !== at);
  if (twice) return { message: `Two files are ${OWN_STEM_NAMES[twice]}.`, hint: 'Choose one file for each stem.' };
  if (OWN_STEMS.every((stem) => stem === 'vocals' || stems.includes(stem)))
    return { message: 'There is an instrumental beside all of its parts.', hint: 'Remove the instrumental.' };
  return undefined;
}
