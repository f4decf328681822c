/** Makes and changes Ogg files. */
import { createOggEncoder } from 'wasm-media-encoders';
import { pageChecksum, readOggPages } from '../../../audio/decode/ogg-pages.ts';
import type { OggPage } from '../../../audio/decode/ogg-pages.ts';

const NO_GRANULE = 0xffffffffffffffffn;

function writePage(page: OggPage): Buffer {
  const header = Buffer.alloc(27);
  header.write('OggS', 'latin1');
  header[5] = Number(page.isContinued) + 2 * Number(page.isFirst) + 4 * Number(page.isLast);
  header.writeBigUInt64LE(page.granule < 0 ? NO_GRANULE : BigInt(page.granule), 6);
  header.writeUInt32LE(page.serial, 14);
  header.writeUInt32LE(page.sequence, 18);
  header[26] = page.lacing.length;
  const bytes = Buffer.concat([header, page.lacing, page.body]);
  bytes.writeUInt32LE(pageChecksum(bytes, 0, bytes.length), 22);
  return bytes;
}

/** Writes a file from pages. Checksums are computed. */
export function writeOgg(pages: readonly OggPage[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pages.map(writePage)));
}

/** Changes the pages of a file. */
export function changeOgg(file: Uint8Array, change: (page: OggPage, index: number) => OggPage | null): Uint8Array {
  return writeOgg(readOggPages(file).pages.flatMap((page, index) => change(page, index) ?? []));
}

/** A file whose last page does not say that it is the last, as programs leave it that are ended or that never say so. */
export function withoutEnd(file: Uint8Array): Uint8Array {
  return changeOgg(file, (page) => ({ ...page, isLast: false }));
}

/** A recording that joined a broadcast after `samples`. */
export function startedLate(file: Uint8Array, samples: number): Uint8Array {
  return changeOgg(file, (page) => (page.granule > 0 ? { ...page, granule: page.granule + samples } : page));
}

/** Streams one after another. Each gets a serial number of its own. */
export function chained(...files: readonly Uint8Array[]): Uint8Array {
  const parts = files.map((file, serial) => changeOgg(file, (page) => ({ ...page, serial: serial + 1 })));
  return new Uint8Array(Buffer.concat(parts));
}

/** A file without some of its pages. */
export function withoutPages(file: Uint8Array, from: number, to: number): Uint8Array {
  return changeOgg(file, (page, index) => (index >= from && index < to ? null : page));
}

/** Changes the first packet of a file. */
export function withHead(file: Uint8Array, change: (head: Buffer) => void): Uint8Array {
  return changeOgg(file, (page) => {
    if (!page.isFirst) return page;
    const body = Buffer.from(page.body);
    change(body);
    return { ...page, body };
  });
}

/** Sets the gain of an Opus header, in dB. */
export function withOpusGain(file: Uint8Array, gainDb: number): Uint8Array {
  return withHead(file, (head) => head.writeInt16LE(Math.round(gainDb * 256), 16));
}

/** Encodes Vorbis. */
export async function encodeVorbis(
  channels: readonly Float32Array[],
  sampleRate: number,
  quality: number,
): Promise<Uint8Array> {
  const encoder = await createOggEncoder();
  encoder.configure({ channels: channels.length === 1 ? 1 : 2, sampleRate, vbrQuality: quality });
  return new Uint8Array(Buffer.concat([encoder.encode([...channels]).slice(), encoder.finalize().slice()]));
}
