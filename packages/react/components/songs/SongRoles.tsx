import { useId } from 'react';

type Roles = { sings?: string | undefined; plays?: string | undefined };

interface Props {
  songs: { songId: string; name: string }[];
  roles: Roles | undefined;
  onChange: (roles: Roles) => void;
  /** Whether the planner may not choose: both songs are always named. */
  isRequired?: boolean;
}

/** Which song sings, and which one plays drums and bass. */
export function SongRoles({ songs, roles = {}, onChange, isRequired = false }: Props) {
  const select = (name: keyof Roles, label: string) => (
    <RoleSelect
      label={label}
      songs={songs}
      isRequired={isRequired}
      value={roles[name]}
      onChange={(songId) => onChange({ ...roles, [name]: songId })}
    />
  );
  return (
    <div
      className="mashup-ui grid gap-3 sm:grid-cols-2"
      role="group"
      aria-label="Roles of the songs"
      data-testid="song-roles"
    >
      {select('sings', 'Sings')}
      {select('plays', 'Plays drums and bass')}
    </div>
  );
}

function RoleSelect({
  label,
  songs,
  value,
  isRequired,
  onChange,
}: Pick<Props, 'songs' | 'isRequired'> & {
  label: string;
  value: string | undefined;
  onChange: (songId: string | undefined) => void;
}) {
  const id = useId();
  const isKnown = songs.some(({ songId }) => songId === value);
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="label">
        {label}
      </label>
      <select
        id={id}
        className="field mt-1"
        value={isKnown ? value : ''}
        onChange={(event) => onChange(event.target.value || undefined)}
      >
        {(!isRequired || !isKnown) && <option value="">{isRequired ? 'None' : 'Automatic'}</option>}
        {songs.map(({ songId, name }) => (
          <option key={songId} value={songId}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}
