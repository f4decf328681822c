/** Positions of the channels of a file, and their order in each container. */

/**
 * Position of a channel. Side and rear channels are both surrounds. `Cs` is a single surround behind the listener. Channels between
 * the centre and a side count as that side. `unknown` has no position.
 */
export type Speaker = 'L' | 'R' | 'C' | 'LFE' | 'Ls' | 'Rs' | 'Cs' | 'unknown';

/** One position for each channel, in their order in the file. */
export type ChannelLayout = readonly Speaker[];

/** Order in WAV (by the bits of dwChannelMask) and FLAC (RFC 9639, 9.1.3), for 1 to 8 channels. */
const WAV_LAYOUTS: readonly ChannelLayout[] = [
  ['C'],
  ['L', 'R'],
  ['L', 'R', 'C'],
  ['L', 'R', 'Ls', 'Rs'],
  ['L', 'R', 'C', 'Ls', 'Rs'],
  ['L', 'R', 'C', 'LFE', 'Ls', 'Rs'],
  ['L', 'R', 'C', 'LFE', 'Cs', 'Ls', 'Rs'],
  ['L', 'R', 'C', 'LFE', 'Ls', 'Rs', 'Ls', 'Rs'],
];

/** Order in Vorbis (Vorbis I, 4.3.9) and in Opus of mapping family 1 (RFC 7845, 5.1.1.2), for 1 to 8 channels. */
const VORBIS_LAYOUTS: readonly ChannelLayout[] = [
  ['C'],
  ['L', 'R'],
  ['L', 'C', 'R'],
  ['L', 'R', 'Ls', 'Rs'],
  ['L', 'C', 'R', 'Ls', 'Rs'],
  ['L', 'C', 'R', 'Ls', 'Rs', 'LFE'],
  ['L', 'C', 'R', 'Ls', 'Rs', 'Cs', 'LFE'],
  ['L', 'C', 'R', 'Ls', 'Rs', 'Ls', 'Rs', 'LFE'],
];

/** Positions by the bits of dwChannelMask (WAVEFORMATEXTENSIBLE), from the lowest. Channels over the listener count as surrounds. */
const MASK_BITS: ChannelLayout = [
  ...(['L', 'R', 'C', 'LFE', 'Ls', 'Rs', 'L', 'R', 'Cs'] as const),
  ...(['Ls', 'Rs', 'Cs', 'Ls', 'Cs', 'Rs', 'Ls', 'Cs', 'Rs'] as const),
];

/** The first two channels are left and right; the others have no position. */
const unknownLayout = (channels: number): ChannelLayout =>
  Array.from({ length: channels }, (_, i) => (['L', 'R'] as const)[i] ?? 'unknown');

/** The order of WAV without a channel mask, of FLAC and of AIFF. Over eight channels only the first two have a position. */
export function wavLayout(channels: number): ChannelLayout {
  return WAV_LAYOUTS[channels - 1] ?? unknownLayout(channels);
}

/** The order of Vorbis, and of Opus of mapping family 1. Over eight channels only the first two have a position. */
export function vorbisLayout(channels: number): ChannelLayout {
  return VORBIS_LAYOUTS[channels - 1] ?? unknownLayout(channels);
}

/**
 * The order of Opus (RFC 7845, 5.1.1).
 * @param family channel mapping family: 0 is mono or stereo, 1 is the order of Vorbis; others have no positions
 */
export function opusLayout(family: number, channels: number): ChannelLayout {
  return family <= 1 || channels === 1 ? vorbisLayout(channels) : unknownLayout(channels);
}

/** The positions of a dwChannelMask, in order; the order without a mask if it names fewer positions than there are channels. */
export function maskLayout(mask: number, channels: number): ChannelLayout {
  const named = MASK_BITS.filter((_, bit) => (mask >>> bit) & 1);
  return named.length < channels ? wavLayout(channels) : named.slice(0, channels);
}

/** Bytes of a FLAC file in which its comments are looked for. */
const FLAC_COMMENT_BYTES = 64 * 1024;

/**
 * The order of FLAC: that of WAV. A comment may name another mask (RFC 9639, 8.6.2).
 * @param bytes the file, from its FLAC marker on
 */
export function flacLayout(bytes: Uint8Array, channels: number): ChannelLayout {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, FLAC_COMMENT_BYTES));
  const mask = /WAVEFORMATEXTENSIBLE_CHANNEL_MASK=0x([0-9a-f]{1,8})(?![0-9a-f])/i.exec(head)?.[1];
  return maskLayout(mask === undefined ? 0 : parseInt(mask, 16), channels);
}
