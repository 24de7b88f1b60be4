/** `oddity/server`: detectors behind HTTP, for programs. Re-exports only. */
export type { DetectorFacts, ItemsAnswer, SeriesAnswer } from './detectors/answers.ts';
export { openapi } from './openapi.ts';
export type { ServeOptions } from './options.ts';
export { type DetectorServer, serve } from './serve.ts';
