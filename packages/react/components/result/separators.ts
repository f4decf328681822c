/** What separated the songs of a mashup, in words. */
import type { JobResult, JobSong } from '@mashup-engine/client';
import { modelName } from '../../texts.ts';

type Separation = NonNullable<JobResult['separation']>[string];

const METHOD_NAMES = { classical: 'Built-in method', own: 'Your own stems', service: 'Separation service' } as const;

const nameOf = ({ model, method }: Separation): string =>
  method === 'neural' ? modelName(model) : METHOD_NAMES[method];

/** Returns what separated the songs: one name if it is the same for all, otherwise one for each song. Undefined if it is unknown. */
export function separatorText(
  separation: JobResult['separation'],
  songs: readonly Pick<JobSong, 'songId' | 'name'>[],
): string | undefined {
  const named = songs.flatMap(({ songId, name }) => {
    const one = separation?.[songId];
    return one === undefined ? [] : [{ name, separator: nameOf(one) }];
  });
  const separators = new Set(named.map(({ separator }) => separator));
  if (separators.size <= 1) return named[0]?.separator;
  return named.map(({ name, separator }) => `${name}: ${separator}`).join(' · ');
}
