/** What the routes of a server share. */
import type { Catalogue } from './catalogue.ts';

export interface ServerContext {
  readonly catalogue: Catalogue;
  /** False from the moment on at which the server is told to end. */
  isReady(): boolean;
  /** Aborts when a request that begins now must have been answered. */
  deadline(): AbortSignal;
}
