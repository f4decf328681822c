/** A light look at a file's first bytes: enough to refuse what is no audio before a service is bothered with it. */

/** `unknown` may be audio: the service decides. */
export type FileType =
  | 'wav'
  | 'mp3'
  | 'flac'
  | 'ogg'
  | 'm4a'
  | 'aac'
  | 'aiff'
  | 'wma'
  | 'webm'
  | 'text'
  | 'picture'
  | 'document'
  | 'empty'
  | 'unknown';

/** Bytes that `sniffType` looks at. */
export const SNIFF_BYTES = 512;

const NOT_AUDIO: ReadonlySet<FileType> = new Set(['text', 'picture', 'document', 'empty']);

export function isAudio(type: FileType): boolean {
  return !NOT_AUDIO.has(type);
}

/** Tells a file's type by its first bytes, whatever it is called. */
export function sniffType(bytes: Uint8Array): FileType {
  const head = Buffer.from(bytes.subarray(0, SNIFF_BYTES));
  if (head.length === 0) return 'empty';
  const at = (offset: number, text: string): boolean =>
    head.subarray(offset, offset + text.length).toString('latin1') === text;
  if ((at(0, 'RIFF') || at(0, 'RF64')) && at(8, 'WAVE')) return 'wav';
  if (at(0, 'fLaC')) return 'flac';
  if (at(0, 'OggS')) return 'ogg';
  if (at(4, 'ftyp')) return 'm4a';
  if (at(0, 'FORM')) return 'aiff';
  if (at(0, 'ID3')) return 'mp3';
  if (at(0, '\x1a\x45\xdf\xa3')) return 'webm';
  if (at(0, '\x30\x26\xb2\x75')) return 'wma';
  if (at(0, '\x89PNG') || at(0, 'GIF8') || at(0, '\xff\xd8\xff') || (at(0, 'RIFF') && at(8, 'WEBP'))) return 'picture';
  if (at(0, '%PDF') || at(0, 'PK\x03\x04') || at(0, '\xd0\xcf\x11\xe0')) return 'document';
  const first = head[0] ?? 0;
  const second = head[1] ?? 0;
  // ADTS has layer bits 00 where MPEG audio has the layer.
  if (first === 0xff && (second & 0xf6) === 0xf0) return 'aac';
  if (first === 0xff && (second & 0xe0) === 0xe0) return 'mp3';
  return isText(head) ? 'text' : 'unknown';
}

/** Whether every byte is printable, blank, or part of UTF-8. */
function isText(head: Buffer): boolean {
  for (const byte of head) {
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return false;
    if (byte === 0x7f) return false;
  }
  // A multi-byte character may be cut at the end.
  return !new TextDecoder().decode(head.subarray(0, Math.max(1, head.length - 3))).includes('\ufffd');
}
