/** Who is on a topic: one entry per tracking channel, gathered under its key. */
import { randomBytes } from 'node:crypto';

type Meta = Record<string, unknown> & { phx_ref: string };
type State = Record<string, { metas: Meta[] }>;

export interface PresenceDiff {
  joins: State;
  leaves: State;
}

interface Entry {
  key: string;
  meta: Meta;
}

/** Entries of one topic by the channel that tracks them. */
export class Presence {
  readonly #entries = new Map<object, Entry>();

  /** Everybody, as `presence_state` has it. */
  state(): State {
    const state: State = {};
    for (const { key, meta } of this.#entries.values()) (state[key] ??= { metas: [] }).metas.push(meta);
    return state;
  }

  /** Adds or replaces a channel's entry and returns what changed. */
  track(channel: object, key: string, payload: Record<string, unknown>): PresenceDiff {
    const { leaves } = this.untrack(channel);
    const meta: Meta = { ...payload, phx_ref: randomBytes(8).toString('base64url') };
    this.#entries.set(channel, { key, meta });
    return { joins: { [key]: { metas: [meta] } }, leaves };
  }

  /** Takes a channel's entry away and returns what changed; nothing when it had none. */
  untrack(channel: object): PresenceDiff {
    const entry = this.#entries.get(channel);
    this.#entries.delete(channel);
    return { joins: {}, leaves: entry ? { [entry.key]: { metas: [entry.meta] } } : {} };
  }
}
