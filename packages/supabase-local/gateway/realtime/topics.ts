/** The topics of all sockets: broadcasts and presence go to every channel that has joined the same topic. */
import { Presence } from './presence.ts';
import type { PresenceDiff } from './presence.ts';
import type { Broadcast } from './protocol.ts';

/** A channel, as its topic uses it. */
export interface TopicMember {
  broadcast(broadcast: Broadcast): void;
  presenceDiff(diff: PresenceDiff): void;
}

interface Topic {
  members: Set<TopicMember>;
  presence: Presence;
}

const isEmpty = (diff: PresenceDiff): boolean =>
  Object.keys(diff.joins).length === 0 && Object.keys(diff.leaves).length === 0;

/** Topics by name. A public and a private topic of one name are two topics. */
export class Topics {
  readonly #topics = new Map<string, Topic>();

  /** Adds a channel to a topic. */
  join(name: string, isPrivate: boolean, member: TopicMember): void {
    this.#topic(name, isPrivate).members.add(member);
  }

  /** Removes a channel with its presence entry. A topic without channels is removed. */
  leave(name: string, isPrivate: boolean, member: TopicMember): void {
    const topic = this.#topic(name, isPrivate);
    topic.members.delete(member);
    this.#announce(topic, topic.presence.untrack(member));
    if (topic.members.size === 0) this.#topics.delete(`${isPrivate}:${name}`);
  }

  /** Sends to all channels of a topic except `except`. */
  broadcast(name: string, isPrivate: boolean, broadcast: Broadcast, except?: TopicMember): void {
    for (const member of this.#topic(name, isPrivate).members) if (member !== except) member.broadcast(broadcast);
  }

  /** Returns who is present, as the payload of `presence_state`. */
  presenceState(name: string, isPrivate: boolean): unknown {
    return this.#topic(name, isPrivate).presence.state();
  }

  /** Adds or replaces the presence entry of a channel and tells the topic. */
  track(name: string, isPrivate: boolean, member: TopicMember, key: string, payload: Record<string, unknown>): void {
    const topic = this.#topic(name, isPrivate);
    this.#announce(topic, topic.presence.track(member, key, payload));
  }

  /** Removes the presence entry of a channel and tells the topic. */
  untrack(name: string, isPrivate: boolean, member: TopicMember): void {
    const topic = this.#topic(name, isPrivate);
    this.#announce(topic, topic.presence.untrack(member));
  }

  #topic(name: string, isPrivate: boolean): Topic {
    const key = `${isPrivate}:${name}`;
    let topic = this.#topics.get(key);
    if (!topic) this.#topics.set(key, (topic = { members: new Set(), presence: new Presence() }));
    return topic;
  }

  #announce(topic: Topic, diff: PresenceDiff): void {
    if (!isEmpty(diff)) for (const member of topic.members) member.presenceDiff(diff);
  }
}
