/** Decodes a FLAC stream in Ogg (RFC 9639, 10.1). */
import { wavLayout } from './channel-layout.ts';
import type { ChannelLayout } from './channel-layout.ts';
import { decodeFlac, readStreamInfo } from './flac-stream.ts';
import type { FlacInfo } from './flac-stream.ts';
import { joinBytes, readPackets } from './ogg-links.ts';
import type { OggLink } from './ogg-links.ts';

/** Behind the mark, version and number of headers of the mapping, the mark of FLAC and the header of the description. */
const STREAMINFO_AT = 17;
/** Frames begin with this byte, headers do not. */
const FRAME_BYTE = 0xff;

/** The description of a FLAC stream in Ogg. */
export type OggFlacHead = FlacInfo & { layout: ChannelLayout };

/**
 * Reads the first packet of a FLAC stream.
 * @throws AudioError if it is invalid
 */
export function readOggFlacHead(head: Uint8Array): OggFlacHead {
  const info = readStreamInfo(head, STREAMINFO_AT);
  return { ...info, layout: wavLayout(info.channels) };
}

/** Decodes a stream. Its frames are joined, as they are in a FLAC file. */
export function decodeOggFlac(link: OggLink, info: FlacInfo): AsyncGenerator<Float32Array[]> {
  const frames = [...readPackets(link.pages)].flatMap((page) => page.packets.filter(([first]) => first === FRAME_BYTE));
  return decodeFlac(joinBytes(frames), 0, info);
}
