/** Opens files for decoding: one function for each format reads the declared properties and decodes the samples in chunks. */
import type { AudioFormat } from './detect.ts';
import { openWithFfmpeg } from './ffmpeg.ts';
import { openFlac } from './flac.ts';
import { openMp3 } from './mp3.ts';
import { openOgg } from './ogg.ts';
import type { OpenedAudio } from './opened-audio.ts';
import { openAiff, openWav } from './pcm-file.ts';
import { leadingTagsLength, trailingTagsStart } from './tags.ts';

/**
 * Opens a file of a known format. Tags around it are skipped.
 * @throws AudioError if the headers show that the file cannot be used. `chunks` throws it for faults in the body.
 */
export function openFormat(file: Uint8Array, format: AudioFormat, signal?: AbortSignal): OpenedAudio {
  const bytes = file.subarray(leadingTagsLength(file));
  switch (format) {
    case 'mp3':
      return openMp3(bytes.subarray(0, trailingTagsStart(bytes)));
    case 'flac':
      return openFlac(bytes.subarray(0, trailingTagsStart(bytes)));
    case 'ogg-flac':
    case 'ogg-vorbis':
    case 'ogg-opus':
      return openOgg(bytes);
    case 'wav':
      return openWav(bytes);
    case 'aiff':
      return openAiff(bytes);
    case 'm4a':
    case 'aac':
      return openWithFfmpeg(bytes, format, signal);
  }
}
