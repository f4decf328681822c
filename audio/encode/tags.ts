/** Title, artist, tempo and key as metadata of WAV, FLAC and MP3 files. */
import { formatKey, parseKey } from '../../music/theory/keys.ts';

/** Metadata of a file. `key` in the form `Bb minor`. WAV files have no fields for tempo and key. */
export type AudioTags = { title?: string; artist?: string; bpm?: number; key?: string };

const MAX_TAG_LENGTH = 300;
const utf8 = new TextEncoder();

/** A tag without control characters, of at most `MAX_TAG_LENGTH` characters; undefined if nothing is left. */
function clean(text: string | undefined): string | undefined {
  const cleaned = text
    ?.replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, MAX_TAG_LENGTH);
  return cleaned === '' ? undefined : cleaned;
}

/** Joins byte arrays. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** The tempo in whole beats per minute, as ID3 requires it. */
const tempoTag = ({ bpm }: AudioTags): string | undefined => (bpm === undefined ? undefined : String(Math.round(bpm)));

/** The key in at most three characters of ASCII, as ID3 requires it and other programs of DJs read it: `Bbm`; undefined if unknown. */
function keyTag({ key = '' }: AudioTags): string | undefined {
  const parsed = parseKey(key);
  return parsed ? formatKey(parsed).replace(' major', '').replace(' minor', 'm') : undefined;
}

/** An ID3v2.4 tag with UTF-8 text frames; empty without tags. */
export function id3(tags: AudioTags): Uint8Array {
  const syncSafe = (n: number): number[] => [(n >> 21) & 0x7f, (n >> 14) & 0x7f, (n >> 7) & 0x7f, n & 0x7f];
  const frame = (id: string, text: string | undefined): Uint8Array[] => {
    const value = clean(text);
    if (value === undefined) return [];
    const body = utf8.encode(value);
    return [utf8.encode(id), Uint8Array.from([...syncSafe(body.length + 1), 0, 0, 3]), body];
  };
  const frames = concatBytes([
    ...frame('TIT2', tags.title),
    ...frame('TPE1', tags.artist),
    ...frame('TBPM', tempoTag(tags)),
    ...frame('TKEY', keyTag(tags)),
  ]);
  if (frames.length === 0) return frames;
  return concatBytes([utf8.encode('ID3'), Uint8Array.from([4, 0, 0, ...syncSafe(frames.length)]), frames]);
}

/** A FLAC metadata block of type VORBIS_COMMENT. Its last-block flag is not set. */
export function vorbisCommentBlock(tags: AudioTags): Uint8Array {
  const sized = (bytes: Uint8Array): Uint8Array[] => {
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, bytes.length, true);
    return [length, bytes];
  };
  const fields = { TITLE: tags.title, ARTIST: tags.artist, BPM: tempoTag(tags), INITIALKEY: keyTag(tags) };
  const comments = Object.entries(fields).flatMap(([name, text]) => {
    const value = clean(text);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  const count = new Uint8Array(4);
  new DataView(count.buffer).setUint32(0, comments.length, true);
  const body = concatBytes([
    ...sized(utf8.encode('mashup-engine')),
    count,
    ...comments.flatMap((c) => sized(utf8.encode(c))),
  ]);
  return concatBytes([Uint8Array.from([4, body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff]), body]);
}

/** A RIFF LIST chunk of type INFO (UTF-8); empty without tags. */
export function riffInfoChunk(tags: AudioTags): Uint8Array {
  const item = (id: string, text: string | undefined): Uint8Array[] => {
    const value = clean(text);
    if (value === undefined) return [];
    const body = utf8.encode(`${value}\0`);
    return [riffChunk(id, body)];
  };
  const items = concatBytes([...item('INAM', tags.title), ...item('IART', tags.artist)]);
  return items.length === 0 ? items : riffChunk('LIST', concatBytes([utf8.encode('INFO'), items]));
}

function riffChunk(id: string, body: Uint8Array): Uint8Array {
  const head = new Uint8Array(8);
  head.set(utf8.encode(id));
  new DataView(head.buffer).setUint32(4, body.length, true);
  return concatBytes([head, body, new Uint8Array(body.length & 1)]);
}
