/** An observable object that React components and plain code share. */
import { useSyncExternalStore } from 'react';

export interface Store<T> {
  get(): T;
  /** Merges `change` into the object and notifies all subscribers. */
  set(change: Partial<T>): void;
  /** Calls `listener` after each change. Returns a function that ends the subscription. */
  subscribe(listener: () => void): () => void;
}

/** Creates a store with an initial object. */
export function createStore<T extends object>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(change) {
      value = { ...value, ...change };
      for (const listener of listeners) listener();
    },
    /** Calls `listener` after each change. Returns a function that ends the subscription. */
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Returns the object of a store and renders again when it changes. */
export function useStore<T>(store: Pick<Store<T & object>, 'get' | 'subscribe'>): T {
  return useSyncExternalStore(store.subscribe, store.get, store.get);
}
