/** Presence of one topic: one entry for each channel that tracks itself, grouped by key. */
import { randomBytes } from 'node:crypto';

type Meta = Record<string, unknown> & { phx_ref: string };
type State = Record<string, { metas: Meta[] }>;

/** What a change of presence adds and removes, as the payload of `presence_diff`. */
export interface PresenceDiff {
  joins: State;
  leaves: State;
}

interface Entry {
  key: string;
  meta: Meta;
}

/** The entries of one topic, by channel. */
export class Presence {
  readonly #entries = new Map<object, Entry>();

  /** Returns all entries, as the payload of `presence_state`. */
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

  /** Removes a channel's entry and returns what changed: nothing if it had none. */
  untrack(channel: object): PresenceDiff {
    const entry = this.#entries.get(channel);
    this.#entries.delete(channel);
    return { joins: {}, leaves: entry ? { [entry.key]: { metas: [entry.meta] } } : {} };
  }
}
