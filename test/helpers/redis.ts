/** A Redis of a test's own, on a free port of this machine, with its files in a folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';

export interface TestRedis {
  readonly port: number;
  /** Of one of its databases, 0 to 99. */
  url(database?: number): string;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Starts it once more, with what it has on disk. */
  start(): Promise<void>;
}

/** Starts one; `args` are options of redis-server. The test kills it. */
export async function startRedis(
  folder: string,
  args: readonly string[] = ['--appendonly', 'yes'],
): Promise<TestRedis> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  let server: ChildProcess;
  const start = async () => {
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--databases', '100'];
    server = spawn('redis-server', [...own, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise<void>((resolve, reject) => {
      server.stdout!.on('data', (text) => String(text).includes('Ready to accept connections') && resolve());
      server.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
    });
  };
  await start();
  return {
    port,
    url: (database = 0) => `redis://127.0.0.1:${port}/${database}`,
    async kill() {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
    },
    start,
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
