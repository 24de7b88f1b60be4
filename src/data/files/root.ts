/** Where data sets live on this machine. Node only. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What `dataRoot` looks at; given by tests, else taken from the process. */
export interface Place {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly home: string;
}

/**
 * The folder that holds one folder per data set: `ODDITY_DATA` if set, else the user's cache: `oddity/data` under
 * `XDG_CACHE_HOME` or `~/.cache` (Linux and others), `~/Library/Caches` (macOS), `LOCALAPPDATA` (Windows).
 * It need not exist.
 */
export function dataRoot(place: Place = { env: process.env, platform: process.platform, home: homedir() }): string {
  const { env, platform, home } = place;
  if (env.ODDITY_DATA) return env.ODDITY_DATA;
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'oddity', 'data');
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'oddity', 'data');
  return join(env.XDG_CACHE_HOME || join(home, '.cache'), 'oddity', 'data');
}
