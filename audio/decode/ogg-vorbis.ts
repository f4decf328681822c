/** Decodes a Vorbis stream in Ogg. */
import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis';
import { AudioError } from '../errors.ts';
import { vorbisLayout } from './channel-layout.ts';
import type { ChannelLayout } from './channel-layout.ts';
import { readPackets } from './ogg-links.ts';
import type { OggLink } from './ogg-links.ts';
import { trimEnd } from './trim.ts';

/** The description of a Vorbis stream. */
export type VorbisHead = { sampleRate: number; channels: number; layout: ChannelLayout };

type DecoderPage = Parameters<OggVorbisDecoder['decodeOggPages']>[0][number];

/**
 * Reads the first packet of a Vorbis stream.
 * @throws AudioError if it is invalid
 */
export function readVorbisHead(head: Uint8Array): VorbisHead {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const sampleRate = view.getUint32(12, true);
  const channels = view.getUint8(11);
  if (sampleRate < 1000 || sampleRate > 768_000 || channels === 0) {
    throw new AudioError('audio_damaged', 'The header of the Ogg file is invalid.');
  }
  return { sampleRate, channels, layout: vorbisLayout(channels) };
}

/**
 * A page as the decoder takes it. It is always one in the middle of a stream: the decoder compares the end of a stream with all that
 * it has decoded, which is wrong if the granule positions start late.
 */
function decoderPage(data: Uint8Array, setup: Uint8Array, packets: readonly Uint8Array[]): DecoderPage {
  const codecFrames = packets.map((packet) => ({ data: packet, header: { vorbisSetup: setup } }));
  return { data, codecFrames, isLastPage: false, totalSamples: 0 } as unknown as DecoderPage;
}

/** Decodes a stream. What lies before its start and behind its end, by the granule positions, is left out. */
export async function* decodeVorbis(link: OggLink): AsyncGenerator<Float32Array[]> {
  const decoder = new OggVorbisDecoder();
  await decoder.ready;
  let setup: Uint8Array | null = null;
  let granule: number | null = null;
  let decodedBefore = 0;
  for (const page of readPackets(link.pages)) {
    setup ??= page.packets.find((packet) => packet[0] === 5) ?? null;
    // Packets of sound have an even first byte.
    const packets = page.packets.filter((packet) => packet.length > 0 && (packet[0]! & 1) === 0);
    if (packets.length === 0 || setup === null) continue;
    if (decodedBefore === 0 && granule === null) await decoder.decodeOggPages([decoderPage(link.head, setup, [])]);
    const decoded = await decoder.decodeOggPages([decoderPage(page.packets[0]!, setup, packets)]);
    const count = decoded.samplesDecoded;
    decodedBefore += count;
    let chunk = decoded.channelData;
    if (page.granule >= 0) {
      const isFirst = granule === null;
      // A first page with more samples than its position begins before the start; if it is also the last, its end is cut instead.
      if (page.isLast) chunk = trimEnd(chunk, count, page.granule - (granule ?? 0));
      else if (isFirst && decodedBefore > page.granule)
        chunk = chunk.map((samples) => samples.subarray(decodedBefore - page.granule));
      granule = page.granule;
    }
    if (chunk.length > 0 && chunk[0]!.length > 0) yield chunk;
  }
  decoder.free();
}
