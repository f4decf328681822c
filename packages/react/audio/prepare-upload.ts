/**
 * Makes songs uploads that every engine reads: m4a and AAC are decoded by the browser and encoded as FLAC, because the services
 * need a system ffmpeg for them. Other formats are uploaded as they are.
 */
import { SONG_MAX_SEC, UPLOAD_MAX_BYTES } from '../../../schema/constants.ts';
import { detectFormat } from '../../../audio/decode/detect.ts';
import type { OutputFormat } from '../../../schema.ts';
import { SNIFF_BYTES } from './sniff.ts';

/** What the browser does for a conversion. */
export interface BrowserAudio {
  /** Length of a file in seconds; undefined if the browser cannot play it. */
  duration(file: Blob): Promise<number | undefined>;
  /** Decodes a file to channels at 44.1 kHz. Rejects if the browser cannot. */
  decode(bytes: ArrayBuffer): Promise<Float32Array[]>;
  /** Encodes channels at 44.1 kHz. */
  encode(channels: Float32Array[], format: OutputFormat): Promise<Uint8Array<ArrayBuffer>>;
}

/** A file to upload: its name, and its content. */
export interface PreparedFile {
  fileName: string;
  body: Blob;
}

const TYPES = { flac: 'audio/flac', mp3: 'audio/mpeg' } as const;

/** Whether a file is of a format that the browser should convert. */
export async function needsConversion(file: Blob): Promise<boolean> {
  const format = detectFormat(new Uint8Array(await file.slice(0, SNIFF_BYTES).arrayBuffer()));
  return format === 'm4a' || format === 'aac';
}

/**
 * Returns what is uploaded of a file. A song that is longer than allowed, or that this browser cannot decode, stays as it is: the
 * engine may have ffmpeg, and says otherwise what is wrong. A FLAC that is too large becomes an MP3.
 */
export async function prepareUpload(file: File, audio: BrowserAudio): Promise<PreparedFile> {
  const asItIs = { fileName: file.name, body: file };
  const seconds = await audio.duration(file);
  // Decoding takes 21 MB of memory for each minute.
  if (seconds === undefined || seconds > SONG_MAX_SEC) return asItIs;
  let channels: Float32Array[];
  try {
    channels = await audio.decode(await file.arrayBuffer());
  } catch {
    return asItIs;
  }
  const flac = await audio.encode(channels, 'flac');
  if (flac.length <= UPLOAD_MAX_BYTES) return named(file.name, flac, 'flac');
  return named(file.name, await audio.encode(channels.slice(0, 2), 'mp3'), 'mp3');
}

function named(name: string, bytes: Uint8Array<ArrayBuffer>, format: keyof typeof TYPES): PreparedFile {
  const stem = name.replace(/\.[^.]+$/, '');
  return { fileName: `${stem}.${format}`, body: new Blob([bytes], { type: TYPES[format] }) };
}
