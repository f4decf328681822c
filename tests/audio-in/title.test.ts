/** Title tags of all containers. */
import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readNameTags } from '../../audio/decode/name-tags.ts';
import { encodeAudio } from '../../audio/encode/encode.ts';
import { id3, vorbisCommentBlock } from '../../audio/encode/tags.ts';
import { writeOgg } from '../../bench/hard-material/containers/ogg-file.ts';
import { id3v2 } from '../../bench/hard-material/containers/tag-bytes.ts';
import { readOggPages } from '../../audio/decode/ogg-pages.ts';

const readTitle = (file: Uint8Array): string | null => readNameTags(file).title;
const TITLE = 'Halö (Acapella)';
const FORMATS = ['wav', 'flac', 'mp3'] as const;
const TONE = Float32Array.from({ length: 4_410 }, (_, i) => 0.5 * Math.sin(i / 16));
const fileOf = (format: (typeof FORMATS)[number], title?: string): Promise<Uint8Array<ArrayBuffer>> =>
  encodeAudio([TONE, TONE], 44_100, format, title === undefined ? {} : { title });

const bytesOf = (...parts: readonly (string | readonly number[] | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part, 'latin1')] : Array.from(part))),
  );

/** An ID3v2 tag with one text frame. */
const textTag = (version: number, frame: Uint8Array, flags = 0): Uint8Array =>
  bytesOf('ID3', [version, 0, flags, 0, 0, 0, frame.length], frame);

const box = (type: string, ...parts: readonly Uint8Array[]): Uint8Array => {
  const body = bytesOf(...parts);
  return bytesOf([0, 0, (body.length + 8) >> 8, (body.length + 8) & 255], type, body);
};

/** The index of an MP4 file with a title. `version`: the four bytes of a full box. */
function mp4(version: readonly number[]): Uint8Array {
  const data = box('data', bytesOf([0, 0, 0, 1, 0, 0, 0, 0], new TextEncoder().encode(TITLE)));
  const meta = box('meta', bytesOf(version), box('hdlr', new Uint8Array(24)), box('ilst', box('\xa9nam', data)));
  return bytesOf(box('ftyp', bytesOf('M4A ')), box('moov', box('udta', meta)));
}

/** The Opus fixture with other comments. */
async function opus(): Promise<Uint8Array> {
  const { pages } = readOggPages(await readFile(new URL('fixtures/band.opus', import.meta.url)));
  const comments = bytesOf('OpusTags', vorbisCommentBlock({ title: TITLE }).subarray(4));
  return writeOgg(
    pages.map((page, i) => (i === 1 ? { ...page, body: comments, lacing: Uint8Array.of(comments.length) } : page)),
  );
}

describe('the title tag', () => {
  for (const format of FORMATS) {
    it(`of ${format} is read with the artist, and is null if there is none`, async () => {
      assert.equal(readTitle(await fileOf(format, TITLE)), TITLE);
      assert.equal(readTitle(await fileOf(format)), null);
      const named = await encodeAudio([TONE, TONE], 44_100, format, { title: TITLE, artist: 'Beyoncé' });
      assert.deepEqual(readNameTags(named), { title: TITLE, artist: 'Beyoncé' });
    });
  }

  it('of Ogg is read', async () => {
    assert.equal(readTitle(await opus()), TITLE);
  });

  it('of MP4 is read, with and without a version of its box', () => {
    assert.equal(readTitle(mp4([0, 0, 0, 0])), TITLE);
    assert.equal(readTitle(mp4([])), TITLE);
  });

  it('of each version and encoding of ID3v2 is read', () => {
    assert.equal(readTitle(textTag(2, bytesOf('TT2', [0, 0, 5, 0], 'Halo'))), 'Halo');
    assert.equal(readTitle(textTag(3, bytesOf('TIT2', [0, 0, 0, 5, 0, 0, 0], 'Halo'))), 'Halo');
    assert.equal(readTitle(textTag(4, bytesOf('TIT2', [0, 0, 0, 5, 0, 0, 3], 'Halo'))), 'Halo');
    const littleEndian = bytesOf('TIT2', [0, 0, 0, 7, 0, 0, 1, 0xff, 0xfe], 'H\0i\0');
    assert.equal(readTitle(textTag(3, littleEndian)), 'Hi');
    assert.equal(readTitle(textTag(3, bytesOf('TIT2', [0, 0, 0, 7, 0, 0, 1, 0xfe, 0xff], '\0H\0i'))), 'Hi');
    // With a zero behind each byte 255, which the length of the frame leaves out.
    const stuffed = bytesOf('TIT2', [0, 0, 0, 7, 0, 0, 1, 0xff, 0, 0xfe], 'H\0i\0');
    assert.equal(readTitle(textTag(3, stuffed, 0x80)), 'Hi');
  });

  it('is read from the second of two tags, and from before FLAC', async () => {
    const [tag, flac] = [id3({ title: TITLE }), await fileOf('flac')];
    assert.equal(readTitle(bytesOf(id3v2(300), tag, flac)), TITLE);
    assert.equal(readTitle(bytesOf(id3v2(300), await fileOf('flac', TITLE))), TITLE);
  });

  it('of damaged files is read or null, without an error', async () => {
    const files = [...(await Promise.all(FORMATS.map((format) => fileOf(format, TITLE)))), await opus(), mp4([])];
    const damage = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 8 });
    fc.assert(
      fc.property(fc.constantFrom(...files), damage, fc.nat(600), fc.boolean(), (file, changes, length, isCut) => {
        const bytes = file.slice(0, isCut ? length : 4_000);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        const title = readTitle(bytes);
        assert.ok(title === null || title.length > 0);
      }),
      { numRuns: 2_000 },
    );
  });
});
