/** Audio players that play sound from their standard input, or files. */
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { CliError, EXIT_USAGE } from '../errors.ts';

/** How a player gets the sound: as raw samples or as a WAV file at its standard input, or as WAV files, one after the other. */
type Feed = 'raw' | 'wav' | 'files';

export interface Player {
  name: string;
  path: string;
  args: readonly string[];
  feed: Feed;
}

/** The players in the order in which they are tried. Raw samples are 16-bit little-endian stereo at 44.1 kHz. */
const PLAYERS: readonly Omit<Player, 'path'>[] = [
  { name: 'ffplay', args: ['-nodisp', '-autoexit', '-loglevel', 'quiet', '-i', 'pipe:0'], feed: 'wav' },
  { name: 'mpv', args: ['--no-video', '--really-quiet', '--no-config', '-'], feed: 'wav' },
  { name: 'play', args: ['-q', '-t', 'raw', '-e', 'signed', '-b', '16', '-r', '44100', '-c', '2', '-'], feed: 'raw' },
  { name: 'aplay', args: ['-q', '-t', 'raw', '-f', 'S16_LE', '-r', '44100', '-c', '2', '-'], feed: 'raw' },
  { name: 'paplay', args: ['--raw', '--format=s16le', '--rate=44100', '--channels=2'], feed: 'raw' },
  { name: 'afplay', args: [], feed: 'files' },
];

/**
 * Finds the first player that is installed.
 * @param searchPath the variable PATH
 * @throws CliError `no_player`
 */
export async function findPlayer(searchPath = process.env['PATH'] ?? ''): Promise<Player> {
  const folders = searchPath.split(delimiter).filter((folder) => folder !== '');
  for (const player of PLAYERS) {
    for (const folder of folders) {
      const path = join(folder, process.platform === 'win32' ? `${player.name}.exe` : player.name);
      if (await isExecutable(path)) return { ...player, path };
    }
  }
  throw new CliError(
    'no_player',
    'No audio player was found.',
    `Install FFmpeg (it has ffplay), mpv or SoX, or omit --play. Looked for: ${PLAYERS.map(({ name }) => name).join(', ')}.`,
    EXIT_USAGE,
  );
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
