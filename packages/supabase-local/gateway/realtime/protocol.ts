/**
 * Frames of the Realtime socket, in both versions of the Phoenix serializer: objects in 1.0.0, arrays in 2.0.0, and in 2.0.0
 * also binary broadcasts (kind 3 from the client, kind 4 to it). References are strings and are repeated in replies.
 */
import { z } from 'zod';
import { parseJson } from '../json.ts';

/** Versions of the serializer. */
export const VERSIONS = ['1.0.0', '2.0.0'] as const;
/** A version of the serializer. */
export type Version = (typeof VERSIONS)[number];

/** A message of the Phoenix protocol. */
export interface Frame {
  joinRef: string | null;
  ref: string | null;
  topic: string;
  event: string;
  payload: unknown;
}

/** A broadcast: a JSON payload, or bytes in `binary`. */
export interface Broadcast {
  event: string;
  payload: unknown;
  binary: Buffer | undefined;
}

const Reference = z.string().nullish();
const ArrayFrame = z.tuple([Reference, Reference, z.string(), z.string(), z.unknown()]);
const ObjectFrame = z.object({
  topic: z.string(),
  event: z.string(),
  payload: z.unknown(),
  ref: Reference,
  join_ref: Reference,
});

const USER_BROADCAST_PUSH = 3;
const USER_BROADCAST = 4;
const JSON_ENCODING = 1;

/** Reads a text frame. Returns undefined for an invalid one. */
export function readText(version: Version, text: string): Frame | undefined {
  let parsed: unknown;
  try {
    parsed = parseJson(text);
  } catch {
    return undefined;
  }
  if (version === '2.0.0') {
    const frame = ArrayFrame.safeParse(parsed);
    if (!frame.success) return undefined;
    const [joinRef, ref, topic, event, payload] = frame.data;
    return { joinRef: joinRef ?? null, ref: ref ?? null, topic, event, payload };
  }
  const frame = ObjectFrame.safeParse(parsed);
  if (!frame.success) return undefined;
  const { ref, join_ref: joinRef, ...rest } = frame.data;
  return { ...rest, ref: ref ?? null, joinRef: joinRef ?? null };
}

/** Reads a binary frame of the client, which is always a broadcast. Returns undefined for an invalid one. */
export function readBinary(bytes: Buffer): Frame | undefined {
  if (bytes.length < 7 || bytes[0] !== USER_BROADCAST_PUSH) return undefined;
  const lengths = [bytes[1]!, bytes[2]!, bytes[3]!, bytes[4]!, bytes[5]!];
  const encoding = bytes[6]!;
  let offset = 7;
  const [joinRef, ref, topic, event] = lengths.map((length) => {
    const text = bytes.toString('utf8', offset, offset + length);
    offset += length;
    return text;
  });
  if (offset > bytes.length) return undefined;
  const rest = bytes.subarray(offset);
  let broadcast: Broadcast = { event: event!, payload: undefined, binary: rest };
  if (encoding === JSON_ENCODING) {
    try {
      broadcast = { event: event!, payload: parseJson(rest.toString('utf8')), binary: undefined };
    } catch {
      return undefined;
    }
  }
  return { joinRef: joinRef || null, ref: ref || null, topic: topic!, event: 'broadcast', payload: broadcast };
}

/** Encodes a text frame. Servers of version 1.0.0 send no `join_ref`. */
export function writeText(version: Version, frame: Frame): string {
  const { joinRef, ref, topic, event, payload } = frame;
  if (version === '2.0.0') return JSON.stringify([joinRef, ref, topic, event, payload]);
  return JSON.stringify({ topic, event, payload, ref });
}

/** Encodes a broadcast of bytes for a client of version 2.0.0. */
export function writeBinary(topic: string, event: string, bytes: Buffer): Buffer {
  const names = [Buffer.from(topic), Buffer.from(event), Buffer.from('{}')];
  const header = Buffer.from([USER_BROADCAST, ...names.map((name) => name.length), 0]);
  return Buffer.concat([header, ...names, bytes]);
}
