/** What the routes of a server share. */
import type { Context } from 'hono';
import type { Catalogue } from './catalogue.ts';

export interface ServerContext {
  readonly catalogue: Catalogue;
  /** False from the moment on at which the server is told to end. */
  isReady(): boolean;
  /** Milliseconds within which a request is answered. */
  readonly within: number;
  /** The bytes of a request, as `bodyBytes` reads them. Throws Problem 413 and 400. */
  bodyOf(c: Context, aligned?: number): Promise<Uint8Array>;
}
