import type { PairScore } from '../../../../schema.ts';
import { CompatibilityScore } from './CompatibilityScore.tsx';
import { toneOf } from '../common/tones.ts';

const DIMENSIONS = [
  ['harmonic', 'Harmony'],
  ['rhythmic', 'Rhythm'],
  ['spectral', 'Timbre'],
  ['vocal', 'Voices'],
] as const;

interface NamedSong {
  id: string;
  name: string;
}

/** Replaces "the first" and "the second" in a text by the songs' names. */
function withNames(text: string, first: string, second: string): string {
  return text.replace(/\bthe first\b/gi, `“${first}”`).replace(/\bthe second\b/gi, `“${second}”`);
}

/** The score of each pair of songs, by dimension and with advice. */
export function PairScores({ pairs, songs }: { pairs: PairScore[]; songs: NamedSong[] }) {
  const nameOf = (id: string): string => songs.find((song) => song.id === id)?.name ?? 'a song';
  const placeOf = (id: string): number => songs.findIndex((song) => song.id === id);
  return (
    <div className={`grid gap-4 ${pairs.length > 1 ? 'lg:grid-cols-3' : ''}`}>
      {pairs.map((pair) => {
        const [a, b] = pair.song_pair;
        const named = (texts: string[]): string[] => texts.map((text) => withNames(text, nameOf(a), nameOf(b)));
        return (
          <article key={pair.song_pair.join()} className="panel" aria-label={`${nameOf(a)} and ${nameOf(b)}`}>
            <h3 className="mb-4 break-words text-sm font-semibold">
              <span className={toneOf(placeOf(a)).text}>{nameOf(a)}</span>
              <span className="px-1.5 text-soft">×</span>
              <span className={toneOf(placeOf(b)).text}>{nameOf(b)}</span>
            </h3>
            <div className={`grid gap-5 ${pairs.length > 1 ? '' : 'md:grid-cols-2'}`}>
              <CompatibilityScore
                score={pair.score}
                reasons={named(pair.warnings)}
                suggestions={named(pair.recommendations)}
              />
              <dl className="content-center space-y-2.5">
                {DIMENSIONS.map(([name, title]) => (
                  <div key={name} className="grid grid-cols-[5rem_1fr_2rem] items-center gap-3 text-sm">
                    <dt className="text-soft">{title}</dt>
                    <dd className="h-1.5 overflow-hidden rounded-full bg-raised" aria-hidden="true">
                      <div
                        className="h-full rounded-full bg-accent"
                        style={{ width: `${pair.dimension_scores[name]}%` }}
                      />
                    </dd>
                    <dd className="text-right font-medium">{Math.round(pair.dimension_scores[name])}</dd>
                  </div>
                ))}
              </dl>
            </div>
          </article>
        );
      })}
    </div>
  );
}
