import { useCallback, useEffect, useRef, useState } from 'react';
import { MashupTimeline, Player } from '@mashup-engine/react';
import type { PlayerHandle } from '@mashup-engine/react';
import type { SharePageData } from '@mashup-engine/client/share-pages';

/** The player of a shared mashup, and its timeline. */
export function SharedMashup({ data }: { data: SharePageData }) {
  const { title, songs, durationSec, timeline, peaks, coverUrl, isEmbed } = data;
  const player = useRef<PlayerHandle>(null);
  const [time, setTime] = useState(0);
  const { url, renew } = useRenewableUrl(data.audioUrl);
  return (
    <>
      <Player
        ref={player}
        src={url}
        title={title}
        artist={songs.map(({ name }) => name).join(' × ')}
        artwork={coverUrl}
        sections={timeline}
        hasKeys
        hasVersions={false}
        peaks={peaks}
        durationSec={durationSec}
        onTime={setTime}
        onBroken={renew}
      />
      {!isEmbed && (
        <section className="mt-6" aria-labelledby="timeline">
          <h2 id="timeline" className="sr-only">
            Timeline
          </h2>
          <MashupTimeline
            timeline={timeline}
            songs={songs}
            currentTime={time}
            onSeek={(seconds) => player.current?.playFrom(seconds)}
          />
        </section>
      )}
    </>
  );
}

/** Links are valid for a minute. */
const RENEW_MS = 40_000;

/**
 * The address of the sound. It leads to a link that is valid for a minute, which browsers use for later parts of the file too. A
 * renewed address is another one for the browser, and leads to a new link to the same file. The player requests it only when it
 * needs one.
 */
function useRenewableUrl(address: string): { url: string; renew: () => void } {
  const [count, setCount] = useState(0);
  const renew = useCallback(() => setCount((known) => known + 1), []);
  useEffect(() => {
    const timer = setInterval(renew, RENEW_MS);
    return () => clearInterval(timer);
  }, [renew]);
  return { url: count === 0 ? address : `${address}&renewal=${count}`, renew };
}
