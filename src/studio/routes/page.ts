/** The built page: a few files, read once. Every address that is none of them gets the page, which knows its own addresses. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { Hono } from 'hono';
import { Problem } from '../../server/problem.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** Scripts and styles come from here alone, and nothing of the page may be framed by another. */
const POLICY =
  "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; media-src 'self' blob:; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

export function pageRoutes(folder: string): Hono {
  const app = new Hono();
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  for (const name of names) {
    if (extname(name) in types)
      files.set(`/${name.replaceAll('\\', '/')}`, new Uint8Array(readFileSync(join(folder, name))));
  }
  app.get('*', (c) => {
    const { path } = c.req;
    if (path.startsWith('/api/')) throw new Problem(404, 'unknown-address', `There is nothing at ${path}.`);
    const name = files.has(path) ? path : '/index.html';
    const bytes = files.get(name);
    if (!bytes) throw new Problem(503, 'no-page', 'The page of Studio is not built here. Build the package first.');
    return c.body(bytes, 200, {
      'Content-Type': types[extname(name)],
      'Content-Security-Policy': POLICY,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      // Names of built files hold their hashes.
      'Cache-Control': name.startsWith('/assets/') ? 'max-age=31536000, immutable' : 'no-cache',
    });
  });
  return app;
}
