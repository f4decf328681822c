/** Reads numbers of any number of bits, highest bit first. */
export class BitReader {
  readonly #bytes: Uint8Array;
  /** The next byte. */
  #at: number;
  /** The lowest `#count` bits are the next ones. Higher bits are those that were read. */
  #cache = 0;
  #count = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** True if more bits were read than there are. */
  get isPastEnd(): boolean {
    return this.#at - Math.floor(this.#count / 8) > this.#bytes.length;
  }

  /** Skips the bits up to the next byte, and returns the index of that byte. */
  align(): number {
    this.#count -= this.#count % 8;
    return this.#at - this.#count / 8;
  }

  /** Reads an unsigned number of 0 to 33 bits. */
  unsigned(bits: number): number {
    if (bits > 24) return this.unsigned(bits - 16) * 65_536 + this.unsigned(16);
    while (this.#count < bits) this.#fill();
    this.#count -= bits;
    return (this.#cache >>> this.#count) & ((1 << bits) - 1);
  }

  /** Reads a signed number of 1 to 33 bits (two's complement). */
  signed(bits: number): number {
    const value = this.unsigned(bits);
    return value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
  }

  /** Reads the number of zeros before the next one, and that one. Returns -1 behind the end. */
  zeros(): number {
    let zeros = 0;
    for (;;) {
      if (this.#count === 0) this.#fill();
      const found = Math.clz32(this.#cache << (32 - this.#count));
      if (found < this.#count) {
        this.#count -= found + 1;
        return zeros + found;
      }
      zeros += this.#count;
      this.#count = 0;
      if (this.#at >= this.#bytes.length) return -1;
    }
  }

  /**
   * Reads Rice-coded numbers: the zeros before a one are the upper part, `parameter` bits follow, and the lowest bit is the sign.
   * @throws RangeError behind the end
   */
  rice(parameter: number, target: Int32Array | Float64Array, from: number, to: number): void {
    if (parameter > 16 || target instanceof Float64Array) return this.#wideRice(parameter, target, from, to);
    const bytes = this.#bytes;
    const mask = (1 << parameter) - 1;
    let at = this.#at;
    let cache = this.#cache;
    let count = this.#count;
    for (let i = from; i < to; i++) {
      let upper = 0;
      for (;;) {
        while (count <= 24) {
          cache = (cache << 8) | bytes[at++]!;
          count += 8;
        }
        const found = Math.clz32(cache << (32 - count));
        if (found < count) {
          upper += found;
          count -= found + 1;
          break;
        }
        upper += count;
        count = 0;
        if (at > bytes.length) throw new RangeError('The frame ends early.');
      }
      while (count < parameter) {
        cache = (cache << 8) | bytes[at++]!;
        count += 8;
      }
      count -= parameter;
      const value = (upper << parameter) | ((cache >>> count) & mask);
      target[i] = (value >>> 1) ^ -(value & 1);
    }
    this.#at = at;
    this.#cache = cache;
    this.#count = count;
  }

  #wideRice(parameter: number, target: Int32Array | Float64Array, from: number, to: number): void {
    const scale = 2 ** parameter;
    for (let i = from; i < to; i++) {
      const upper = this.zeros();
      if (upper < 0) throw new RangeError('The frame ends early.');
      const value = upper * scale + this.unsigned(parameter);
      target[i] = value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  }

  #fill(): void {
    this.#cache = (this.#cache << 8) | (this.#bytes[this.#at++] ?? 0);
    this.#count += 8;
  }
}
