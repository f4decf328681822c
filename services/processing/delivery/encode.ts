/** Encodes a mastered mashup, MP3 in parts at the same time. */
import type { OutputFormat } from '../../../schema.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { encodeAudio } from '../../../audio/encode/encode.ts';
import { encodeMp3Part, type Mp3Part } from '../../../audio/encode/mp3-parts.ts';
import type { AudioTags } from '../../../audio/encode/tags.ts';
import type { Channels } from '../sound/slice.ts';

export type EncodeTask = { channels: Channels } & (
  { format: Exclude<OutputFormat, 'mp3'>; tags: AudioTags } | { format: 'mp3'; part: Mp3Part }
);

/** Encodes a whole file, or of MP3 a part of its stream. */
export function encodeMaster(task: EncodeTask): Promise<Uint8Array<ArrayBuffer>> {
  if (task.format === 'mp3') return encodeMp3Part(task.channels, SAMPLE_RATE, task.part);
  return encodeAudio(task.channels, SAMPLE_RATE, task.format, task.tags);
}
