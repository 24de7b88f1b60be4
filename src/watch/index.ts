/** `oddity/watch`: a folder whose images are scored as they come, for programs. Re-exports only. */
export type { WatchRecord } from './journal.ts';
export { type WatchOptions, type WatchSummary, watch } from './watch.ts';
