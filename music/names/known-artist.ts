/** Artists of songs as users read them. */

/** What the engine writes for a song without an artist. */
const UNKNOWN_ARTIST = 'Unknown artist';

/** Returns the artist of a song of a job; '' if it is unknown. */
export const knownArtist = (artist: string): string => (artist === UNKNOWN_ARTIST ? '' : artist);
