/** Notes as a Standard MIDI File of one track. */
import type { Note } from './compose.ts';

const TICKS_PER_BEAT = 480;

function variableLength(value: number): number[] {
  const bytes = [value & 127];
  for (let rest = value >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 127) | 128);
  return bytes;
}

/** A part on one channel (9 is the drums) with its program and place in the stereo picture (0 left, 127 right). */
export type Part = { notes: readonly Note[]; channel: number; program: number; pan: number };

/** The file of one or more parts at one tempo. */
export function midiFile(parts: readonly Part[], bpm: number): Buffer {
  const events: { tick: number; order: number; bytes: number[] }[] = [];
  const tempo = Math.round(60_000_000 / bpm);
  events.push({ tick: 0, order: 0, bytes: [0xff, 0x51, 3, tempo >> 16, (tempo >> 8) & 255, tempo & 255] });
  for (const { notes, channel, program, pan } of parts) {
    events.push({ tick: 0, order: 0, bytes: [0xc0 | channel, program] });
    events.push({ tick: 0, order: 0, bytes: [0xb0 | channel, 10, pan] });
    for (const { atBeat, lengthBeats, pitch, velocity } of notes) {
      const tick = Math.round(atBeat * TICKS_PER_BEAT);
      const end = Math.round((atBeat + lengthBeats) * TICKS_PER_BEAT);
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
  header.writeUInt16BE(TICKS_PER_BEAT, 12);
  header.write('MTrk', 14, 'latin1');
  header.writeUInt32BE(body.length, 18);
  return Buffer.concat([header, Buffer.from(body)]);
}
