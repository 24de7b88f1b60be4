/**
 * Who may use Studio: whoever has its token. A browser gets it once, through the key in the address that the command line shows, as a
 * cookie that no script reads and no other site sends.
 */
import { randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { Problem } from '../server/problem.ts';

/** Cookies are of a host, whatever the port: each Studio of a machine has its own. */
const cookieOf = (c: Context): string => `oddity-studio-${/:(\d+)$/.exec(c.req.header('Host') ?? '')?.[1] ?? 80}`;

export class Access {
  /** Good for one page. */
  readonly key = randomBytes(18).toString('base64url');
  private isUsed = false;

  constructor(readonly token: string) {}

  /** Addresses that need no token: the one that gives it. */
  readonly open = /^\/open$/;

  readonly tokenIn = (c: Context): string | undefined => getCookie(c, cookieOf(c));

  /** Gives the browser its cookie for the key; throws Problem 403 for another one, or one that was used. */
  enter(c: Context): Response {
    if (getCookie(c, cookieOf(c)) === this.token) return c.redirect('/');
    if (this.isUsed || c.req.query('key') !== this.key) {
      throw new Problem(
        403,
        'wrong-key',
        'This address was used before, or is not whole. Start Studio again for a fresh one: what is in its projects stays.',
      );
    }
    this.isUsed = true;
    setCookie(c, cookieOf(c), this.token, { httpOnly: true, sameSite: 'Strict', path: '/' });
    return c.redirect('/');
  }
}
