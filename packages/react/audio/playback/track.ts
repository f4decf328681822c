/** A deck with what it plays. */
import type { PlayableAudio } from '@mashup-engine/client';
import { ContextDeck } from './context-deck.ts';
import type { Deck, DeckEvents, DeckState } from './deck.ts';
import { FileDeck } from './file-deck.ts';
import { hasMediaSource, MediaSourceDeck } from './media-source-deck.ts';
import { PartCache, partAt, readyFrames } from './parts.ts';
import type { LoadPart, Part } from './parts.ts';

export interface PartsTrack {
  kind: 'parts';
  deck: MediaSourceDeck | ContextDeck;
  state: DeckState;
  playable: PlayableAudio;
  cache: PartCache;
  /** Peaks of the parts that were loaded, over the planned length; 0 where none was. */
  peaks: number[];
  /** Why a part cannot be had. */
  failure?: unknown;
}
export interface FileTrack {
  kind: 'file';
  deck: FileDeck;
  state: DeckState;
}
export interface StemsTrack {
  kind: 'stems';
  deck: StemsDeck;
  state: DeckState;
}
export type Track = PartsTrack | FileTrack | StemsTrack;

/** A deck of the stems of a mashup. */
export interface StemsDeck extends Deck {
  /** Whether it has sound at a position, in seconds. If not, it gets it, and tells that it is ready. */
  holds(seconds: number): boolean;
}
/** Opens the deck that plays the stems of a mashup. */
export type OpenStems = (events: DeckEvents) => StemsDeck;

/** Receives what the deck of a track reports. */
export interface TrackEvents {
  onState: (track: Track) => void;
  onReady: (track: Track) => void;
  onError: (track: Track, error: unknown) => void;
  /** Receives each part that was loaded. */
  onPart: (track: PartsTrack, part: Part) => void;
}

/** Connects the events of a deck with its track, which exists only after its deck. */
function eventsOf(events: TrackEvents, trackOf: () => Track): DeckEvents {
  return {
    onState(state) {
      const track = trackOf();
      track.state = state;
      events.onState(track);
    },
    onReady: () => events.onReady(trackOf()),
    onError: (error) => events.onError(trackOf(), error),
  };
}

/** Opens the parts of a mashup, by Media Source where the browser has it for FLAC. */
export function openParts(playable: PlayableAudio, load: LoadPart, events: TrackEvents): PartsTrack {
  const cache = new PartCache(load, (part) => events.onPart(track, part));
  const deckEvents = eventsOf(events, () => track);
  const Kind = hasMediaSource() ? MediaSourceDeck : ContextDeck;
  const deck = new Kind(playable, cache, deckEvents);
  const track: PartsTrack = { kind: 'parts', deck, state: 'paused', playable, cache, peaks: [] };
  return track;
}

/** Plays the parts of a track by an audio context from now on, at the same position. Returns false if it does so already. */
export function switchToContext(track: PartsTrack, events: TrackEvents): boolean {
  if (track.deck instanceof ContextDeck) return false;
  const position = track.deck.position();
  track.deck.close();
  track.deck = new ContextDeck(
    track.playable,
    track.cache,
    eventsOf(events, () => track),
  );
  track.deck.seek(position);
  return true;
}

/** Opens a file. */
export function openFile(src: string, events: TrackEvents, onBroken: () => void): FileTrack {
  const deck = new FileDeck(
    src,
    eventsOf(events, () => track),
    onBroken,
  );
  const track: FileTrack = { kind: 'file', deck, state: 'paused' };
  return track;
}

/** Opens the stems of a mashup. */
export function openStems(open: OpenStems, events: TrackEvents): StemsTrack {
  const deck = open(eventsOf(events, () => track));
  const track: StemsTrack = { kind: 'stems', deck, state: 'paused' };
  return track;
}

/** Whether a track has sound at a position, in seconds. */
export function covers(track: Track, seconds: number): boolean {
  if (track.kind === 'stems') return track.deck.holds(seconds);
  return track.kind === 'file' || partAt(track.playable, Math.floor(seconds * track.playable.sampleRate)) >= 0;
}

/** How far a track can be played, in seconds. */
export function readySec(track: Track | undefined): number {
  if (track === undefined) return 0;
  return track.kind !== 'parts' ? Infinity : readyFrames(track.playable) / track.playable.sampleRate;
}

/** Planned length of parts in seconds. */
export const plannedSec = ({ playable }: PartsTrack): number => playable.totalFrames / playable.sampleRate;

/** Ends a track. */
export function closeTrack(track: Track | undefined): void {
  track?.deck.close();
  if (track?.kind === 'parts') track.cache.close();
}
