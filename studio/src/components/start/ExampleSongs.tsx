import { useState } from 'react';
import { Notice, toProblem } from '@mashup-engine/react';
import type { Problem, StudioSong } from '@mashup-engine/react';
import { Icon } from '@mashup-engine/react/kit';
import { MAX_SONGS } from '../../../../schema/constants.ts';
import { EXAMPLE_SONGS, loadExampleSong } from '../../songs.ts';

/** Example songs that are not selected yet. */
export function ExampleSongs({ chosen, onAdd }: { chosen: StudioSong[]; onAdd: (song: StudioSong) => void }) {
  const [problem, setProblem] = useState<Problem>();
  const left = EXAMPLE_SONGS.filter((example) => !chosen.some((song) => song.name === example.name));
  if (left.length === 0 || chosen.length >= MAX_SONGS) return null;
  return (
    <section aria-labelledby="examples" className="space-y-3">
      <h2 id="examples" className="label">
        {chosen.length === 0 ? 'No songs at hand? Try two of these.' : 'Example songs'}
      </h2>
      <ul className="grid gap-3 sm:grid-cols-3">
        {left.map((example) => (
          <li key={example.file}>
            <button
              type="button"
              className="flex w-full items-center gap-3 rounded-2xl border border-line bg-panel p-3 text-left transition-colors hover:border-accent"
              onClick={() =>
                void loadExampleSong(example).then(onAdd, (error: unknown) => setProblem(toProblem(error)))
              }
            >
              <span className="grid h-10 w-10 shrink-0 place-items-center rounded-xl bg-raised text-accent">
                <Icon name="add" className="h-5 w-5" />
              </span>
              <span className="min-w-0">
                <span className="block truncate font-medium">{example.name}</span>
                <span className="block truncate text-sm text-soft">{example.description}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {problem && <Notice problem={problem} />}
    </section>
  );
}
