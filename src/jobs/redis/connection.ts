/**
 * The connection of a queue to Redis, or to a server that speaks like it: opened once what it needs is known to be there, and told of
 * when it is lost and when it is back. Needs the packages bullmq and ioredis, which are loaded only here. Node only.
 */
import type { Redis, RedisOptions } from 'ioredis';
import { ConfigError, RuntimeUnavailable } from '../../core/errors.ts';
import { type Listener, warning } from '../../core/events.ts';
import { option, say } from '../../core/text.ts';

export type Bullmq = typeof import('bullmq');

/** What the scripts of the queue need. */
const OLDEST: readonly [number, number] = [6, 2];
const CONNECT_MS = 5000;
/** Between two attempts to connect again, at most. */
const AGAIN_MS = 500;

export interface RedisConnection {
  readonly bullmq: Bullmq;
  readonly client: Redis;
  /** Without user and password. */
  readonly address: string;
  /** Ends this connection, and those that the queue made after its pattern. */
  close(): void;
}

/** What the packages of the queue are given: each connection that is made after the first one is like it. */
export const connectionOf = ({ client }: RedisConnection) => ({
  ...{ connection: client, prefix: PREFIX, skipVersionCheck: true },
});

/** Keys of this package in Redis begin with it. */
export const PREFIX = 'oddity';

/**
 * `url` is `redis://[[user]:password@]host[:port][/database]`, or `rediss://` for TLS.
 * @throws ConfigError `queue-address`, `redis-version`, `redis-eviction`; RuntimeUnavailable `queue-missing`, `queue-unreachable`.
 */
export async function openConnection(url: string, onEvent: Listener): Promise<RedisConnection> {
  const address = addressOf(url);
  const { bullmq, ioredis } = await packages();
  let [isOpen, isClosed, isLost] = [false, false, false];
  const options: RedisOptions = {
    ...{ lazyConnect: true, connectTimeout: CONNECT_MS },
    // Commands wait for the connection to come back.
    maxRetriesPerRequest: null,
    retryStrategy: (times) => (isOpen && !isClosed ? Math.min(50 * 2 ** times, AGAIN_MS) : null),
  };
  const client = new ioredis.Redis(url, options);
  let problem = 'no answer';
  client.on('error', (error: NodeJS.ErrnoException) => {
    problem = error.code ?? error.message;
  });
  try {
    await client.connect();
    checkServer(factsOf(await client.info()), address, onEvent);
  } catch (error) {
    client.disconnect();
    if (error instanceof ConfigError) throw error;
    if (/NOAUTH|WRONGPASS|NOPERM/.test(`${problem} ${error}`)) {
      throw new ConfigError('queue-password', `${address} refuses the user or the password of its address.`);
    }
    throw new RuntimeUnavailable(
      'queue-unreachable',
      `${address} does not answer as Redis does (${problem}). Start Redis there, or correct the address.`,
    );
  }
  isOpen = true;
  client.on('close', () => {
    if (isClosed || isLost) return;
    isLost = true;
    onEvent(
      warning(
        'queue-lost',
        `The connection to ${address} is lost. What runs goes on, and is told once the connection is back.`,
      ),
    );
  });
  client.on('ready', () => {
    if (!isLost) return;
    isLost = false;
    onEvent({ type: 'log', level: 'info', message: `The connection to ${address} is back.` });
  });
  const close = () => {
    isClosed = true;
    client.disconnect();
  };
  return { bullmq, client, address, close };
}

function addressOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^rediss?:$/.test(url.protocol) || !url.hostname || !/^\/?\d*$/.test(url.pathname)) {
    // The text may hold a password.
    throw new ConfigError(
      'queue-address',
      say`${option('queue')} must be the address of a Redis, such as redis://:password@host:6379/0.`,
    );
  }
  return `${url.protocol}//${url.hostname}:${url.port || 6379}${url.pathname.length > 1 ? url.pathname : ''}`;
}

async function packages() {
  try {
    return { bullmq: await import('bullmq'), ioredis: await import('ioredis') };
  } catch {
    throw new RuntimeUnavailable(
      'queue-missing',
      'A queue on Redis needs the packages bullmq and ioredis. Install them with: npm install bullmq ioredis@5',
    );
  }
}

/** Lines `name:value` of what a server tells of itself. */
const factsOf = (info: string): ReadonlyMap<string, string> =>
  new Map(info.split(/\r?\n/).map((line) => [line.split(':', 1)[0], line.slice(line.indexOf(':') + 1)]));

function checkServer(facts: ReadonlyMap<string, string>, address: string, onEvent: Listener): void {
  const version = facts.get('redis_version') ?? '0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new ConfigError(
      'redis-version',
      `The queue needs Redis ${OLDEST.join('.')} or newer, or Valkey, and ${address} is Redis ${version}.`,
    );
  }
  const policy = facts.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    throw new ConfigError(
      'redis-eviction',
      `Redis at ${address} drops keys when its memory is full (maxmemory-policy ${policy}), and jobs would vanish unheard. Set the policy with: redis-cli CONFIG SET maxmemory-policy noeviction`,
    );
  }
  if (facts.get('aof_enabled') === '0') {
    onEvent(
      warning(
        'redis-aof',
        `Redis at ${address} writes no append-only file: when it ends, jobs since its last snapshot are lost. Switch it on with: redis-cli CONFIG SET appendonly yes`,
      ),
    );
  }
}
