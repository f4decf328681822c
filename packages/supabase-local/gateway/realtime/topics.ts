/** Channels by topic: broadcasts and presence go to all that joined the same one. Public and private ones are apart. */
import type { Broadcast } from './protocol.ts';
import { Presence } from './presence.ts';
import type { PresenceDiff } from './presence.ts';

/** What a topic needs of a channel. */
export interface Member {
  broadcast(broadcast: Broadcast): void;
  presenceDiff(diff: PresenceDiff): void;
}

interface Topic {
  members: Set<Member>;
  presence: Presence;
}

const isEmpty = (diff: PresenceDiff): boolean =>
  Object.keys(diff.joins).length === 0 && Object.keys(diff.leaves).length === 0;

export class Topics {
  readonly #topics = new Map<string, Topic>();

  #topic(name: string, isPrivate: boolean): Topic {
    const key = `${isPrivate}:${name}`;
    let topic = this.#topics.get(key);
    if (!topic) this.#topics.set(key, (topic = { members: new Set(), presence: new Presence() }));
    return topic;
  }

  join(name: string, isPrivate: boolean, member: Member): void {
    this.#topic(name, isPrivate).members.add(member);
  }

  leave(name: string, isPrivate: boolean, member: Member): void {
    const topic = this.#topic(name, isPrivate);
    topic.members.delete(member);
    this.#announce(topic, topic.presence.untrack(member));
    if (topic.members.size === 0) this.#topics.delete(`${isPrivate}:${name}`);
  }

  /** Sends to all members but `except`. */
  broadcast(name: string, isPrivate: boolean, broadcast: Broadcast, except?: Member): void {
    for (const member of this.#topic(name, isPrivate).members) if (member !== except) member.broadcast(broadcast);
  }

  presenceState(name: string, isPrivate: boolean): unknown {
    return this.#topic(name, isPrivate).presence.state();
  }

  track(name: string, isPrivate: boolean, member: Member, key: string, payload: Record<string, unknown>): void {
    const topic = this.#topic(name, isPrivate);
    this.#announce(topic, topic.presence.track(member, key, payload));
  }

  untrack(name: string, isPrivate: boolean, member: Member): void {
    const topic = this.#topic(name, isPrivate);
    this.#announce(topic, topic.presence.untrack(member));
  }

  #announce(topic: Topic, diff: PresenceDiff): void {
    if (!isEmpty(diff)) for (const member of topic.members) member.presenceDiff(diff);
  }
}
