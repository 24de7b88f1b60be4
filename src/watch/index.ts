/** `oddity/watch`: a folder or a camera whose images are scored as they come, for programs. Re-exports only. */
export type { WatchRecord } from './journal.ts';
export type { WatchSummary } from './results.ts';
export { type WatchOptions, watch } from './watch.ts';
