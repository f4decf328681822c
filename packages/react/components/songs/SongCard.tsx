import { percent } from '../../texts.ts';
import { Icon } from '../common/icons.tsx';
import { toneOf } from '../common/tones.ts';
import type { Tone } from '../common/tones.ts';
import { OwnStems } from './OwnStems.tsx';
import { SongCardBody } from './SongCardBody.tsx';
import { SongCardHeader } from './SongCardHeader.tsx';
import type { SongCardProps } from './song-card-props.ts';

/** One selected song: its upload, then its analysis. */
export function SongCard(props: SongCardProps) {
  const { song, place, upload, fault, analysis } = props;
  const tone = toneOf(place);
  const problem = upload?.problem ?? fault;
  return (
    <li className="panel relative min-h-[19rem] overflow-hidden" data-testid="song-card">
      <div className={`absolute inset-x-0 top-0 h-1 ${tone.background}`} />
      <SongCardHeader {...props} />
      <p className="mt-2 flex items-center gap-1.5 text-xs text-soft" role="status">
        <StatusMark hasProblem={problem !== undefined} isDone={analysis !== undefined} tone={tone} />
        <span className="sr-only">{song.name}: </span>
        {statusText(props)}
      </p>
      <SongCardBody {...props} problem={problem} tone={tone} />
      {props.onChange && <OwnStems song={song} upload={upload} onChange={props.onChange} />}
    </li>
  );
}

function StatusMark({ hasProblem, isDone, tone }: { hasProblem: boolean; isDone: boolean; tone: Tone }) {
  if (isDone && !hasProblem) return <Icon name="check" className="h-3.5 w-3.5 text-good" />;
  return <span className={`h-2 w-2 rounded-full ${hasProblem ? 'bg-bad' : `${tone.background} animate-pulse`}`} />;
}

function statusText({ upload, card, analysis, fault }: SongCardProps): string {
  if (upload?.problem) return 'Not uploaded';
  if (fault) return fault.isOfService ? 'Not analysed' : 'Cannot be used';
  if (upload?.isConverting === true) return 'Converting';
  if (upload?.submitted === undefined) return `Uploading ${percent(upload?.share ?? 0)}`;
  if (analysis) return 'Analysed';
  return card?.state === 'analyzing' ? 'Analysing tempo, key and voices' : 'Waiting to be analysed';
}
