/** Opens files with samples that need no decoder: WAV and AIFF. */
import { AudioError } from '../errors.ts';
import { parseAiff } from './aiff.ts';
import { wavLayout } from './channel-layout.ts';
import type { ChannelLayout } from './channel-layout.ts';
import { openMp3 } from './mp3.ts';
import type { OpenedAudio } from './opened-audio.ts';
import { readPcm } from './pcm.ts';
import type { PcmBlock } from './pcm.ts';
import { mp3InWav, parseWav } from './wav.ts';

/** Frames read at a time. */
const CHUNK_FRAMES = 65_536;
/** Less than this share of the declared frames means that the file was cut. */
const MIN_PRESENT_RATIO = 0.98;

function openPcm(bytes: Uint8Array, block: PcmBlock, layout: ChannelLayout): OpenedAudio {
  const { frames, declaredFrames } = block;
  if (frames < declaredFrames * MIN_PRESENT_RATIO) {
    const percent = Math.floor((100 * frames) / declaredFrames);
    throw new AudioError('audio_truncated', `The file is incomplete: only ${percent} % of the song is present.`);
  }
  async function* chunks(): AsyncGenerator<Float32Array[]> {
    for (let from = 0; from < frames; from += CHUNK_FRAMES) {
      yield readPcm(bytes, block, from, Math.min(CHUNK_FRAMES, frames - from));
    }
  }
  const { sampleRate, channels } = block;
  return {
    sampleRate,
    channels,
    layout,
    declaredSamples: frames,
    expectedSamples: null,
    warnings: [],
    chunks: chunks(),
  };
}

/** @throws AudioError if the file is cut, or if its codec cannot be read */
export function openWav(bytes: Uint8Array): OpenedAudio {
  const mp3 = mp3InWav(bytes);
  if (mp3) return openMp3(mp3);
  const info = parseWav(bytes);
  return openPcm(bytes, info, info.layout);
}

/** @throws AudioError if the file is cut, or if its codec cannot be read */
export function openAiff(bytes: Uint8Array): OpenedAudio {
  const block = parseAiff(bytes);
  return openPcm(bytes, block, wavLayout(block.channels));
}
