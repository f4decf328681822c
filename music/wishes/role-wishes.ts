/** Roles that a user chose, as wishes: they are followed and checked like wishes in words. */
import type { SongRoles, Wish } from '../../schema.ts';

/** Returns the wishes for the roles: vocals of one song, drums of another. Who has the drums has the bass as well. */
export function wishesOfRoles({ sings, plays }: SongRoles = {}): Wish[] {
  return [
    ...(sings === undefined ? [] : [{ kind: 'source', stem: 'vocals', song_id: sings } as const]),
    ...(plays === undefined ? [] : [{ kind: 'source', stem: 'drums', song_id: plays } as const]),
  ];
}
