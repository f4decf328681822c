/** Decodes an Opus stream in Ogg (RFC 7845). */
import { OpusDecoder } from 'opus-decoder';
import { AudioError } from '../errors.ts';
import { opusLayout } from './channel-layout.ts';
import type { ChannelLayout } from './channel-layout.ts';
import { readPackets } from './ogg-links.ts';
import type { OggLink } from './ogg-links.ts';
import { trimEnd } from './trim.ts';

/** Opus always decodes to this rate. */
const OPUS_RATE = 48_000;

/**
 * Source of a channel that is silent. The decoder takes packets of 3,840 bytes for each channel; those of mono may have 7,650. Therefore
 * a mono stream gets a second channel, which is dropped.
 */
const SILENT_SOURCE = 255;

/** The description of an Opus stream. */
export type OpusHead = {
  sampleRate: number;
  channels: number;
  layout: ChannelLayout;
  /** Samples at the start that are not to be heard. */
  preSkip: number;
  /** Factor by which all samples are multiplied. */
  gain: number;
  streams: number;
  coupled: number;
  mapping: number[];
};

/**
 * Reads the first packet of an Opus stream.
 * @throws AudioError if it is invalid
 */
export function readOpusHead(head: Uint8Array): OpusHead {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const channels = view.getUint8(9);
  const family = view.getUint8(18);
  const isPlain = family === 0;
  const hasTable = head.length >= 21 + channels;
  const streams = isPlain || !hasTable ? 1 : view.getUint8(19);
  const coupled = isPlain || !hasTable ? channels - 1 : view.getUint8(20);
  const mapping = isPlain || !hasTable ? [0, 1].slice(0, channels) : [...head.subarray(21, 21 + channels)];
  const isValid =
    view.getUint8(8) < 16 &&
    channels >= 1 &&
    (isPlain || !hasTable ? channels <= 2 : true) &&
    streams >= 1 &&
    coupled <= streams &&
    mapping.every((source) => source === 255 || source < streams + coupled);
  if (!isValid) throw new AudioError('audio_damaged', 'The header of the Ogg file is invalid.');
  return {
    sampleRate: OPUS_RATE,
    channels,
    layout: opusLayout(family, channels),
    preSkip: view.getUint16(10, true),
    gain: 10 ** (view.getInt16(16, true) / 256 / 20),
    streams,
    coupled,
    mapping,
  };
}

/** Decodes a stream: the pre-skip and what lies behind its end are left out, and the gain of its header is applied. */
export async function* decodeOpus(link: OggLink, head: OpusHead): AsyncGenerator<Float32Array[]> {
  const spare = head.channels === 1 ? [SILENT_SOURCE] : [];
  const decoder = new OpusDecoder({
    channels: head.channels + spare.length,
    streamCount: head.streams,
    coupledStreamCount: head.coupled,
    channelMappingTable: [...head.mapping, ...spare],
    preSkip: 0,
  });
  await decoder.ready;
  let skip = head.preSkip;
  let granule = 0;
  for (const page of readPackets(link.pages)) {
    const packets = page.packets.filter(isSound);
    if (packets.length > 0) {
      const decoded = decoder.decodeFrames(packets);
      const kept = page.isLast && page.granule >= 0 ? page.granule - granule : decoded.samplesDecoded;
      const heard = decoded.channelData.slice(0, head.channels);
      const chunk = trimEnd(heard, decoded.samplesDecoded, kept).map((samples) => samples.subarray(skip));
      skip = Math.max(0, skip - decoded.samplesDecoded);
      if (head.gain !== 1) for (const samples of chunk) scale(samples, head.gain);
      if (chunk.length > 0 && chunk[0]!.length > 0) yield chunk;
    }
    if (page.granule >= 0) granule = page.granule;
  }
  decoder.free();
}

function isSound(packet: Uint8Array): boolean {
  const isHeader = packet[0] === 0x4f && packet[1] === 0x70 && packet[2] === 0x75 && packet[3] === 0x73;
  return packet.length > 0 && !isHeader;
}

function scale(samples: Float32Array, gain: number): void {
  for (let i = 0; i < samples.length; i++) samples[i]! *= gain;
}
