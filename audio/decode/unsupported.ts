/** Names files that cannot be decoded, so that a refusal says why. */
import { AudioError } from '../errors.ts';
import { hasText } from './signatures.ts';
import { leadingTagsLength } from './tags.ts';

const CONVERT = 'Convert it to MP3, WAV, AIFF, FLAC, Ogg Vorbis or Opus.';

/** Kinds of files by the text at an offset. */
const KINDS: readonly (readonly [offset: number, text: string, kind: string])[] = [
  [0, '\x30\x26\xb2\x75', 'a Windows Media file (WMA)'],
  [0, '\x1a\x45\xdf\xa3', 'a WebM or Matroska file'],
  [0, 'caff', 'a Core Audio file (CAF)'],
  [0, 'riff\x2e\x91\xcf\x11', 'a Sony Wave64 file'],
  [0, '.snd', 'a Sun audio file (AU)'],
  [0, 'MAC ', "a Monkey's Audio file (APE)"],
  [0, 'wvpk', 'a WavPack file'],
  [0, 'TTA1', 'a True Audio file (TTA)'],
  [0, 'MPCK', 'a Musepack file'],
  [0, 'MP+', 'a Musepack file'],
  [0, 'DSD ', 'a DSD file'],
  [0, 'FRM8', 'a DSD file'],
  [0, '#!AMR', 'an AMR file'],
  [0, '.RMF', 'a RealMedia file'],
  [0, 'FLV', 'a Flash video'],
  [0, 'MThd', 'a MIDI file'],
  [0, '\x0b\x77', 'an AC-3 file'],
  [0, '\x7f\xfe\x80\x01', 'a DTS file'],
  [8, 'AVI ', 'an AVI video'],
  [0, '\x00\x00\x01\xba', 'an MPEG video'],
  [28, 'Speex', 'an Ogg file with Speex'],
  [28, '\x80theora', 'an Ogg video without Vorbis, Opus or FLAC'],
  [0, 'OggS', 'an Ogg file without Vorbis, Opus or FLAC'],
];

/** The kind of a file in which no format is detected, as `a WebM or Matroska file`; undefined if it is not known. */
export function unsupportedKind(bytes: Uint8Array): string | undefined {
  const start = leadingTagsLength(bytes);
  return KINDS.find(([offset, text]) => hasText(bytes, start + offset, text))?.[2];
}

/** The refusal of a file in which no format is detected. */
export function unsupported(bytes: Uint8Array): AudioError {
  const kind = unsupportedKind(bytes);
  if (kind === undefined) {
    return new AudioError('audio_unsupported_format', 'The file is not audio in a supported format.');
  }
  return new AudioError('audio_unsupported_format', `The file is ${kind}, which cannot be read.`, { hint: CONVERT });
}
