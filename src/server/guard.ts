/**
 * Who may ask. A server listens on this machine alone unless it has a token; the Host of a request must be one of the server's own
 * names, so that no page of another site reaches it through a name that leads here, and the Origin of a page must be allowed.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { ConfigError } from '../core/errors.ts';
import { option, say } from '../core/text.ts';
import { Problem } from './problem.ts';

/** Names of this machine that nobody else can reach. */
const loopback = new Set(['127.0.0.1', 'localhost', '::1', '[::1]']);

export const isLoopback = (host: string): boolean => loopback.has(host);

/** Throws ConfigError for an address that others reach without a token. */
export function checkAccess({ host, token }: { readonly host: string; readonly token?: string }): void {
  if (isLoopback(host) || token !== undefined) return;
  throw new ConfigError(
    'open-address',
    say`${option('host')} ${host} can be reached from other machines, so that a token is needed: whoever sends it may ask. Give
      ${option('tokenFile', '<file>')}, or leave ${option('host')} out.`,
  );
}

/** How requests are checked. */
export interface GuardOptions {
  readonly host: string;
  /** Names besides that by which the server may be asked, such as those of a proxy. */
  readonly names: readonly string[];
  /** Pages that may ask: `https://lines.example.com`; those of the server itself always may. */
  readonly origins: readonly string[];
  readonly token?: string;
  /** Where else a request may have the token, such as a cookie. */
  tokenIn?(c: Context): string | undefined;
  /** Further addresses that need no token. */
  readonly open?: RegExp;
}

/** Addresses that need no token: those that whoever watches a server asks. */
const health = /^\/v2\/health\/(live|ready)$/;

/** Refuses requests with Problem 401, 403 or 421, and answers what browsers ask before a request of another site. */
export function guard({ host, names, origins, token, tokenIn, open }: GuardOptions): MiddlewareHandler {
  const own = new Set([host, ...names, ...(isLoopback(host) || host === '0.0.0.0' || host === '::' ? loopback : [])]);
  return async (c, next) => {
    const asked = c.req.header('Host') ?? '';
    const name = asked.replace(/:\d+$/, '');
    if (!own.has(name)) {
      throw new Problem(
        421,
        'wrong-host',
        `This server is not asked as "${name}". Ask it as ${[...own].join(', ')}, or start it with that name.`,
      );
    }
    const origin = c.req.header('Origin');
    const isOwn = origin === undefined || origin === `http://${asked}` || origins.includes(origin);
    if (!isOwn) {
      throw new Problem(403, 'wrong-origin', `Pages of ${origin} may not ask this server. Start it with that origin.`);
    }
    if (origin !== undefined) {
      c.header('Access-Control-Allow-Origin', origin);
      c.header('Vary', 'Origin');
      c.header('Access-Control-Expose-Headers', 'Retry-After, X-Request-Id, Inference-Header-Content-Length');
      if (c.req.method === 'OPTIONS') {
        c.header('Access-Control-Allow-Methods', 'GET, POST');
        c.header('Access-Control-Allow-Headers', 'Authorization, Content-Type, Inference-Header-Content-Length');
        return c.body(null, 204);
      }
    }
    const isOpen = health.test(c.req.path) || open?.test(c.req.path);
    if (token !== undefined && !isOpen && !isToken(tokenIn?.(c) ?? sentToken(c), token)) {
      throw new Problem(
        401,
        'no-token',
        'The request must have the header Authorization: Bearer <token> with the token of this server.',
        {
          'WWW-Authenticate': 'Bearer',
        },
      );
    }
    return next();
  };
}

/** The token of a request: a bearer's, or what clients of Azure send as their key. */
const sentToken = (c: Context): string =>
  /^Bearer (.+)$/.exec(c.req.header('Authorization') ?? '')?.[1] ?? c.req.header('Ocp-Apim-Subscription-Key') ?? '';

/** Takes as long for a wrong token as for the right one. */
function isToken(text: string, token: string): boolean {
  const [given, wanted] = [Buffer.from(text), Buffer.from(token)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
