/** Songs of the page: the selection that a reload keeps, and the example songs. */
import type { StudioSong } from '@mashup-engine/react';

const STORAGE_KEY = 'mashup-selection';

/** Saves the uploaded songs, so that a reload of the page keeps them. */
export function saveSelection(songs: StudioSong[]): void {
  const saved = songs.filter((song) => song.storage_path !== undefined).map(({ file: _file, ...song }) => song);
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(saved));
}

/** Returns the songs that `saveSelection` has saved in this tab; none if there are none. */
export function restoreSelection(): StudioSong[] {
  try {
    const saved: unknown = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? '[]');
    return Array.isArray(saved) ? (saved as StudioSong[]) : [];
  } catch {
    return [];
  }
}

/** The example songs that are served beside the page. */
export const EXAMPLE_SONGS = [
  { file: 'neon-drive.mp3', name: 'Neon Drive', type: 'audio/mpeg', description: '140 bpm, bright synths' },
  { file: 'paper-kites.mp3', name: 'Paper Kites', type: 'audio/mpeg', description: '120 bpm, light pop' },
  { file: 'slow-harbor.ogg', name: 'Slow Harbor', type: 'audio/ogg', description: '68 bpm, a ballad' },
] as const;

/**
 * Downloads an example song.
 * @throws Error if it is not served
 */
export async function loadExampleSong(example: (typeof EXAMPLE_SONGS)[number]): Promise<StudioSong> {
  const response = await fetch(`/examples/${example.file}`);
  if (!response.ok) throw new Error(`The example ${example.name} is not available here.`);
  const file = new File([await response.blob()], example.file, { type: example.type });
  return { id: crypto.randomUUID(), name: example.name, artist: 'Mashup Engine', file };
}
