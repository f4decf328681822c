import { useEffect, useRef, useState } from 'react';
import { MashupTimeline, Notice, Player } from '@mashup-engine/react';
import type { PlayerHandle, Problem } from '@mashup-engine/react';
import { clock, PreviewButton, toneOf } from '@mashup-engine/react/kit';
import { EXAMPLE_MASHUP, readExample } from './example.ts';
import type { Example } from './example.ts';

const NOT_THERE: Problem = { message: 'The example is not available here.', hint: 'Make a mashup of your own songs.' };

/** The player of the example, its timeline, and the two songs that it is made of. It plays as soon as it is there. */
export default function ExamplePlayer() {
  const [example, setExample] = useState<Example | null>();
  useEffect(() => {
    readExample().then(setExample, () => setExample(null));
  }, []);
  if (example === null) return <Notice problem={NOT_THERE} />;
  if (example === undefined) return <p className="mt-4 min-h-24 text-sm text-soft">Loading…</p>;
  return <LoadedExample example={example} />;
}

function LoadedExample({ example }: { example: Example }) {
  const player = useRef<PlayerHandle>(null);
  const [time, setTime] = useState(0);
  useEffect(() => player.current?.playFrom(0), []);
  const credits = example.songs.map(({ name, artist }) => `${artist} – ${name}`).join(' × ');
  return (
    <div className="mt-4 space-y-5">
      <p className="font-medium">
        {example.title} <span className="font-normal text-soft">· {clock(example.duration_sec)}</span>
      </p>
      <Player
        ref={player}
        src={EXAMPLE_MASHUP}
        title={example.title}
        artist={credits}
        peaks={example.peaks}
        durationSec={example.duration_sec}
        sections={example.timeline}
        hasKeys
        onTime={setTime}
      />
      <MashupTimeline
        timeline={example.timeline}
        songs={example.songs}
        currentTime={time}
        onSeek={(seconds) => player.current?.playFrom(seconds)}
      />
      <div>
        <h3 className="label">This is made of these two songs</h3>
        <ul className="mt-2 grid gap-3 sm:grid-cols-2">
          {example.songs.map((song, place) => (
            <li key={song.songId} className="flex items-center gap-3 rounded-xl border border-line p-3">
              <PreviewButton name={song.name} sources={[() => Promise.resolve({ url: `/examples/${song.file}` })]} />
              <span className="min-w-0">
                <span className="flex items-center gap-2 font-medium">
                  <span className={`h-2 w-2 shrink-0 rounded-full ${toneOf(place).background}`} />
                  <span className="truncate">{song.name}</span>
                </span>
                <span className="block truncate text-sm text-soft">{song.artist}</span>
              </span>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
