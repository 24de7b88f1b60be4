/**
 * Who may use Studio: whoever has its token. A browser gets it once, through the key in the address that the command line shows, as a
 * cookie that no script reads and no other site sends.
 */
import { randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { Problem } from '../server/problem.ts';

/** What a person reads who comes without the cookie, by the code of the refusal. */
const refusals: Readonly<Record<string, string>> = {
  'no-token':
    'This browser has not been let in yet. Open the address that Studio printed when it was started; it is good for one browser.',
  'wrong-key': 'This address was used before, or is not complete. Each start of Studio prints a new one.',
};

/** A page for whoever opens Studio by a bookmark or an old address; undefined where the refusal is another one. */
export function refusalPage({ code }: Problem): string | undefined {
  const text = refusals[code];
  return (
    text &&
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>oddity Studio</title>
<style>:root { color-scheme: light dark } body { font: 1rem/1.5 system-ui; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }</style>
<h1>oddity Studio</h1>
<p>${text}</p>
<p>If it is lost, end Studio and start it again with the same folder: labels, runs and jobs stay.</p></html>`
  );
}

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
