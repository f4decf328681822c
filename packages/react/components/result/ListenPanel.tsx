import { useState } from 'react';
import type { Ref } from 'react';
import type { MashupJob } from '@mashup-engine/client';
import { knownArtist } from '../../../../music/names/known-artist.ts';
import { useAutoPlay } from '../../hooks/useAutoPlay.ts';
import type { AutoPlay } from '../../hooks/useAutoPlay.ts';
import type { Comparison } from '../../hooks/useComparison.ts';
import type { PlayerStems } from '../../hooks/usePlayback.ts';
import { useResultUrl } from '../../hooks/useResultUrl.ts';
import { Icon } from '../common/icons.tsx';
import { Notice } from '../common/Notice.tsx';
import { ExpiredNotice } from './ExpiredNotice.tsx';
import { Player } from './Player.tsx';
import type { PlayerHandle } from './Player.tsx';
import type { PlayerSection } from './sections.ts';
import { ResultFacts } from './ResultFacts.tsx';
import type { ShownMashup } from './useShownMashup.ts';
import { StudioVersion } from './StudioVersion.tsx';
import { Versions } from './Versions.tsx';
import { Warnings } from './Warnings.tsx';

interface Props {
  shown: ShownMashup;
  /** Which result of the played version is heard. */
  comparison: Comparison;
  /** The followed job. */
  job: MashupJob;
  title: string;
  player: Ref<PlayerHandle>;
  /** Stems that are played in the place of the file. */
  stems: PlayerStems | undefined;
  /** Receives the position of the player in seconds. */
  onTime: (seconds: number) => void;
  /** Sections of the plan that is shown. */
  sections: readonly PlayerSection[];
  onOpen: (jobId: string) => void;
}

/** The player of a mashup, from its first rendered part on; and when it is complete its versions, properties and downloads. */
export function ListenPanel({ shown, comparison, job, title, player, stems, sections, onTime, onOpen }: Props) {
  const { played, document, versions, live } = shown;
  const { url, renew, problem } = useResultUrl(played);
  const [heardId, setHeardId] = useState('');
  const autoPlay = useAutoPlay(job.id);
  // An earlier version plays on while a new one is rendered, until the listener chooses the new one.
  const isChosen = heardId === job.id;
  const isLive = played === undefined || (played.id !== job.id && isChosen && live !== undefined);
  const [playedId, file] = isLive ? [job.id, null] : [played.id, played];
  if (isLive && live === undefined && job.status !== 'processing') return null;
  return (
    <section className="panel space-y-5" aria-label="Listen" data-testid={played === undefined ? 'live' : 'result'}>
      {file !== null && file.takedownReason !== null ? (
        <Notice kind="warn" problem={{ message: 'This mashup was taken down.', hint: file.takedownReason }} />
      ) : file !== null && file.resultPath === null ? (
        <ExpiredNotice jobId={file.id} onOpen={onOpen} />
      ) : (
        <Player
          ref={player}
          src={file === null ? null : url}
          live={isLive ? live : undefined}
          stems={isLive ? undefined : stems}
          isAutoPlay={isChosen || autoPlay.applies}
          title={title}
          artist={creditsOf(file ?? job)}
          sections={isLive === (played === undefined) ? sections : []}
          hasKeys
          peaks={(file && document?.quality?.waveform?.peaks) ?? []}
          durationSec={file?.result?.durationSec ?? 0}
          changes={(file && document?.quality?.quality?.corrections) ?? []}
          liveNote={
            job.status === 'processing'
              ? 'The beginning plays while the rest is rendered.'
              : 'This is what was rendered before it stopped.'
          }
          placeholder={isLive && <AutoPlayChoice autoPlay={autoPlay} />}
          onTime={onTime}
          onBroken={renew}
        />
      )}
      {problem && <Notice problem={problem} />}
      {file !== null && <StudioVersion job={job} comparison={comparison} />}
      {!isLive && live !== undefined && (
        <button type="button" className="button" onClick={() => setHeardId(job.id)}>
          <Icon name="play" />
          Hear the new version while it is rendered
        </button>
      )}
      {versions.length > 1 && played && (
        <Versions versions={versions} shownId={job.id} playedId={playedId} onOpen={onOpen} />
      )}
      {played && (
        <>
          <ResultFacts job={played} source={document?.planSource ?? null} />
          <Warnings job={played} />
        </>
      )}
    </section>
  );
}

/** The songs of a mashup with their artists. */
const creditsOf = ({ songs }: MashupJob): string =>
  songs.map(({ name, artist }) => (knownArtist(artist) === '' ? name : `${artist} – ${name}`)).join(' × ');

/** What is shown before the first part has come. */
function AutoPlayChoice({ autoPlay: { isChosen, choose } }: { autoPlay: AutoPlay }) {
  return (
    <label className="flex min-h-8 cursor-pointer items-center gap-2 text-sm text-soft">
      <input
        type="checkbox"
        checked={isChosen}
        onChange={(event) => choose(event.target.checked)}
        className="h-4 w-4 shrink-0 accent-accent"
      />
      Play as soon as the first part is rendered
    </label>
  );
}
