/** Title and artist of a file that is chosen. */
import { detectFormat } from '../../../audio/decode/detect.ts';
import { readNameTags } from '../../../audio/decode/name-tags.ts';
import { songNameOf, type NameTags, type SongName } from '../../../music/names/song-name.ts';
import { SNIFF_BYTES } from './sniff.ts';

/** Formats whose tags may be behind the sound. */
const TAGS_AT_END: readonly (string | null)[] = ['wav', 'aiff', 'm4a'];
/** Larger files are not read whole for their tags. */
const MAX_BYTES = 128 * 1024 * 1024;

/** Returns title and artist of the tags of a file, otherwise of its name. A file that cannot be read has no tags. */
export async function nameOfFile(file: File): Promise<SongName> {
  return songNameOf(file.name, await readTags(file).catch(() => undefined));
}

async function readTags(file: File): Promise<NameTags> {
  const head = new Uint8Array(await file.slice(0, SNIFF_BYTES).arrayBuffer());
  const tags = readNameTags(head);
  const isWhole = tags.title !== null || file.size <= SNIFF_BYTES || file.size > MAX_BYTES;
  if (isWhole || !TAGS_AT_END.includes(detectFormat(head))) return tags;
  return readNameTags(new Uint8Array(await file.arrayBuffer()));
}
