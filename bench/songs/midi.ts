/** Writes Standard MIDI Files of one track. */
import type { TimedNote } from './timing.ts';

/** Resolution of 0.1 ms. The file has 120 bpm, so that a quarter is half a second. */
const TICKS_PER_SEC = 10_000;
const TICKS_PER_QUARTER = TICKS_PER_SEC / 2;
const QUARTER_MICROSEC = 500_000;

/** Variable-length quantity. */
function variableLength(value: number): number[] {
  const bytes = [value & 127];
  for (let rest = value >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 127) | 128);
  return bytes;
}

/** A part on one channel (9 is the drums) with its program and panorama (0 left, 127 right). */
export type MidiPart = { notes: readonly TimedNote[]; channel: number; program: number; pan: number };

/** The file of one or more parts, tuned `cents` from A = 440 Hz. */
export function midiFile(parts: readonly MidiPart[], cents: number): Buffer {
  const events: { tick: number; order: number; bytes: number[] }[] = [];
  const first = (...bytes: number[]): number => events.push({ tick: 0, order: 0, bytes });
  first(0xff, 0x51, 3, QUARTER_MICROSEC >> 16, (QUARTER_MICROSEC >> 8) & 255, QUARTER_MICROSEC & 255);
  const tuning = Math.round(8192 + (cents / 100) * 8192);
  for (const { notes, channel, program, pan } of parts) {
    const control = (number: number, value: number): number => first(0xb0 | channel, number, value);
    first(0xc0 | channel, program);
    control(10, pan);
    // Registered parameter 1: fine tuning.
    if (channel !== 9) {
      control(101, 0);
      control(100, 1);
      control(6, tuning >> 7);
      control(38, tuning & 127);
    }
    for (const { atSec, lengthSec, pitch, velocity } of notes) {
      const tick = Math.round(atSec * TICKS_PER_SEC);
      const end = Math.round((atSec + lengthSec) * TICKS_PER_SEC);
      events.push({ tick, order: 2, bytes: [0x90 | channel, pitch, Math.max(1, Math.min(127, Math.round(velocity)))] });
      events.push({ tick: end, order: 1, bytes: [0x80 | channel, pitch, 0] });
    }
  }
  events.sort((a, b) => a.tick - b.tick || a.order - b.order);
  const body: number[] = [];
  let last = 0;
  for (const { tick, bytes } of events) {
    body.push(...variableLength(tick - last), ...bytes);
    last = tick;
  }
  body.push(0, 0xff, 0x2f, 0);
  const header = Buffer.alloc(22);
  header.write('MThd', 0, 'latin1');
  header.writeUInt32BE(6, 4);
  header.writeUInt16BE(0, 8);
  header.writeUInt16BE(1, 10);
  header.writeUInt16BE(TICKS_PER_QUARTER, 12);
  header.write('MTrk', 14, 'latin1');
  header.writeUInt32BE(body.length, 18);
  return Buffer.concat([header, Buffer.from(body)]);
}
