/** Tags before and behind audio. */

/** An ID3v2.4 tag of `bytes` bytes with a picture that contains nothing. */
export function id3v2(bytes: number): Buffer {
  const length = bytes - 10;
  const synchsafe = (value: number): number[] => [21, 14, 7, 0].map((shift) => (value >> shift) & 127);
  const head = Buffer.from([...Buffer.from('ID3', 'latin1'), 4, 0, 0, ...synchsafe(length)]);
  const frame = Buffer.from([...Buffer.from('APIC', 'latin1'), ...synchsafe(length - 10), 0, 0]);
  return Buffer.concat([head, frame, Buffer.alloc(length - 10, 0x11)]);
}

/** An ID3v1 tag. */
export function id3v1(): Buffer {
  return Buffer.from('TAGA song'.padEnd(128, '\0'), 'latin1');
}

/** An APEv2 tag with header and footer. */
export function apeTag(bytes: number): Buffer {
  const edge = (flags: number): Buffer => {
    const block = Buffer.alloc(32);
    block.write('APETAGEX', 'latin1');
    block.writeUInt32LE(2000, 8);
    block.writeUInt32LE(bytes + 32, 12);
    block.writeUInt32LE(flags, 20);
    return block;
  };
  return Buffer.concat([edge(0xa0000000), Buffer.alloc(bytes, 0x20), edge(0x80000000)]);
}
