/** Decodes AAC with the `ffmpeg` of the machine, if one is installed. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AudioError } from '../errors.ts';
import { foldDown } from './fold-down.ts';
import { readMp4Sound } from './mp4-boxes.ts';
import type { OpenedAudio, StereoChunk } from './opened-audio.ts';
import { readPcm } from './pcm.ts';
import { parseWav, WAV_HEADER_BYTES } from './wav.ts';
import type { WavInfo } from './wav.ts';

const FFMPEG_RATE = 44_100;
const BYTES_PER_SAMPLE = 4;

/**
 * Length of the sound of an m4a file, in seconds; null if it does not say.
 * @throws AudioError if the file ends before its index, or inside a fragment
 */
function mp4Seconds(bytes: Uint8Array): number | null {
  const { seconds, isCut, hasIndex, isFragmented } = readMp4Sound(bytes);
  if (isCut && (!hasIndex || isFragmented)) {
    throw new AudioError('audio_truncated', 'The file is incomplete: its end is missing.');
  }
  return seconds;
}

/**
 * Opens an m4a or ADTS file. The demuxer is fixed and ffmpeg may open only this file, so that a crafted file cannot make
 * it read others. The channels are folded to stereo. The input is a file and not a pipe, because the index of an m4a file is often at
 * its end.
 */
export function openWithFfmpeg(bytes: Uint8Array, format: 'm4a' | 'aac', signal?: AbortSignal): OpenedAudio {
  const seconds = format === 'm4a' ? mp4Seconds(bytes) : null;
  const samples = seconds === null ? null : Math.round(seconds * FFMPEG_RATE);
  return {
    sampleRate: FFMPEG_RATE,
    channels: 2,
    layout: ['L', 'R'],
    declaredSamples: samples,
    expectedSamples: samples,
    warnings: [],
    chunks: runFfmpeg(bytes, format, signal),
  };
}

/** @throws AudioError audio_needs_ffmpeg if ffmpeg cannot be started, audio_damaged if it fails. */
async function* runFfmpeg(bytes: Uint8Array, format: 'm4a' | 'aac', signal?: AbortSignal): AsyncGenerator<StereoChunk> {
  const folder = await mkdtemp(join(tmpdir(), 'mashup-decode-'));
  try {
    const file = join(folder, 'song');
    await writeFile(file, bytes);
    const demuxer = format === 'm4a' ? 'mov' : 'aac';
    const child = spawn(
      'ffmpeg',
      // prettier-ignore
      ['-v', 'error', '-nostdin', '-protocol_whitelist', 'file', '-f', demuxer, '-i', file, '-map', '0:a:0',
       '-f', 'wav', '-c:a', 'pcm_f32le', '-ar', String(FFMPEG_RATE), '-protocol_whitelist', 'pipe', 'pipe:1'],
      { stdio: ['ignore', 'pipe', 'ignore'], signal },
    );
    const ended = new Promise<number | Error>((resolve) => {
      child.once('error', resolve);
      child.once('close', (code) => resolve(code ?? 1));
    });
    yield* readPipedWav(child.stdout as AsyncIterable<Buffer>);
    const outcome = await ended;
    signal?.throwIfAborted();
    if (outcome instanceof Error) {
      throw new AudioError('audio_needs_ffmpeg', 'AAC and M4A files can only be read if ffmpeg is installed.', {
        cause: outcome,
      });
    }
    if (outcome !== 0) throw new AudioError('audio_damaged', 'The AAC file cannot be decoded: its content is damaged.');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Reads WAV with float samples from a pipe and folds it to stereo. The header names the channels. */
async function* readPipedWav(pipe: AsyncIterable<Buffer>): AsyncGenerator<StereoChunk> {
  let info: WavInfo | null = null;
  let rest = Buffer.alloc(0);
  for await (const piece of pipe) {
    rest = Buffer.concat([rest, piece]);
    if (!info) {
      if (rest.length < WAV_HEADER_BYTES) continue;
      info = parseWav(rest);
      rest = rest.subarray(info.dataOffset);
    }
    const frames = Math.floor(rest.length / (BYTES_PER_SAMPLE * info.channels));
    if (frames === 0) continue;
    yield foldDown(readPcm(rest, { ...info, dataOffset: 0 }, 0, frames), info.layout);
    rest = rest.subarray(frames * BYTES_PER_SAMPLE * info.channels);
  }
}
