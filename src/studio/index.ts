/** `oddity/studio`: the app, for programs. Re-exports only. */
export type { StudioOptions } from './options.ts';
export { openStudio, type Studio } from './studio.ts';
