/** Changes MP4 files. */

/** A box of a type with content. */
function box(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(8);
  const body = Buffer.concat(parts);
  head.writeUInt32BE(body.length + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}

/** A header of a movie, a track or a medium (version 0). */
function header(type: 'mdhd' | 'tkhd', scale: number, duration: number): Buffer {
  const body = Buffer.alloc(type === 'tkhd' ? 84 : 24);
  if (type === 'tkhd') {
    body.writeUInt32BE(9, 12);
    body.writeUInt32BE(duration, 20);
  } else {
    body.writeUInt32BE(scale, 12);
    body.writeUInt32BE(duration, 16);
  }
  return box(type, body);
}

/**
 * Adds a track of text that lasts `seconds` before the track of sound, and makes the movie as long. The index of the file must
 * be at its end.
 */
export function withLongText(file: Uint8Array, seconds: number): Uint8Array {
  const bytes = Buffer.from(file);
  const at = bytes.indexOf('moov', 0, 'latin1') - 4;
  const movie = bytes.subarray(at, at + bytes.readUInt32BE(at));
  const scale = movie.readUInt32BE(8 + 8 + 12);
  const duration = Math.round(seconds * scale);
  const handler = Buffer.alloc(25);
  handler.write('text', 8, 'latin1');
  const text = box(
    'trak',
    header('tkhd', scale, duration),
    box('mdia', header('mdhd', scale, duration), box('hdlr', handler)),
  );
  const headEnd = 8 + movie.readUInt32BE(8);
  const head = Buffer.from(movie.subarray(8, headEnd));
  head.writeUInt32BE(duration, 8 + 16);
  return new Uint8Array(Buffer.concat([bytes.subarray(0, at), box('moov', head, text, movie.subarray(headEnd))]));
}
