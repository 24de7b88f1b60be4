/** An app on an address of this machine: listens, and ends once the requests that it has begun are answered. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { ConfigError, RuntimeUnavailable } from '../core/errors.ts';
import { option, say } from '../core/text.ts';

/** Milliseconds within which the head of a request must have come. */
const HEAD_MS = 10_000;

export interface Listening {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Takes no more requests and answers those it has begun. */
  close(): Promise<void>;
}

/** `deadline`: seconds within which a request must be whole. Throws ConfigError `port-taken`, RuntimeUnavailable `no-address`. */
export async function listenWith(
  app: { fetch(request: Request, ...rest: never[]): Response | Promise<Response> },
  { host, port, deadline }: { readonly host: string; readonly port: number; readonly deadline: number },
): Promise<Listening> {
  const server = createAdaptorServer({
    fetch: app.fetch as never,
    serverOptions: { requestTimeout: 1000 * deadline, connectionsCheckingInterval: 500 },
  }) as Server;
  server.headersTimeout = Math.min(HEAD_MS, 1000 * deadline); // Node swaps the two where this one is the longer
  server.keepAliveTimeout = 2 * HEAD_MS;
  await listen(server, { host, port });
  const { address, family, port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`,
    async close() {
      const ended = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      // Connections that stay open without a request are not waited for; requests have their deadline.
      const timer = setInterval(() => server.closeIdleConnections(), 100);
      await ended;
      clearInterval(timer);
    },
  };
}

async function listen(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  await listening.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') {
      throw new ConfigError(
        'port-taken',
        say`Another program listens on port ${port} of ${host}. Give another one with ${option('port')}, or 0 for a free one.`,
      );
    }
    throw new RuntimeUnavailable('no-address', `${host}:${port} cannot be listened on: ${error.message}.`);
  });
}
