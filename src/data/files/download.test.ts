import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Event } from '../../core/events.ts';
import { download } from './download.ts';

const content = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, i) => (i * 131) % 253));
const sha256 = createHash('sha256').update(content).digest('hex');

let folder: string;
let to: string;
const closing: (() => void)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oddity-download-'));
  to = join(folder, 'deep', 'file.bin');
});
afterEach(() => {
  for (const close of closing.splice(0)) close();
  rmSync(folder, { recursive: true });
});

/** A server on this machine; gives its address and the Range headers it saw. */
async function serve(listener: RequestListener): Promise<{ url: string; ranges: (string | undefined)[] }> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.bin`, ranges };
}

/** Sends bytes and cuts the line when the partial file has them: `size` bytes. A line that is cut may lose what is under way. */
function sendAndCut(response: ServerResponse, bytes: Buffer, size: number): void {
  response.write(bytes);
  const timer = setInterval(() => {
    if ((statSync(`${to}.part`, { throwIfNoEntry: false })?.size ?? 0) >= size) response.destroy();
    if (response.destroyed) clearInterval(timer);
  }, 5);
}

/** Answers Range requests; cuts the line after `cutAfter` bytes while `cuts` last. */
function ranged(cuts: number, cutAfter = 70_000): RequestListener {
  return (request, response) => {
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (start >= content.length) {
      response.writeHead(416).end();
      return;
    }
    const rest = content.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      etag: '"one"',
      'content-length': rest.length,
      ...(start > 0 && { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }),
    });
    if (cuts-- > 0) sendAndCut(response, rest.subarray(0, cutAfter), start + Math.min(cutAfter, rest.length));
    else response.end(rest);
  };
}

const quick = { waitMs: 1 };

describe('download', () => {
  test('fetches, reports progress, renames', async () => {
    const events: Event[] = [];
    const { url } = await serve(ranged(0));
    const result = await download({ url, to, sha256, onEvent: (e) => events.push(e), ...quick });
    expect(result).toEqual({ path: to, sha256, sizeBytes: content.length });
    expect(readFileSync(to).equals(content)).toBe(true);
    expect(existsSync(`${to}.part`)).toBe(false);
    expect(events.at(-1)).toEqual({
      type: 'progress',
      task: 'download file.bin',
      done: content.length,
      total: content.length,
      unit: 'bytes',
    });
  });

  test('goes on where the line was cut, twice', async () => {
    const events: Event[] = [];
    const { url, ranges } = await serve(ranged(2));
    await download({ url, to, sha256, onEvent: (e) => events.push(e), ...quick });
    expect(readFileSync(to).equals(content)).toBe(true);
    expect(ranges).toEqual([undefined, 'bytes=70000-', 'bytes=140000-']);
    expect(events.filter((e) => e.type === 'log').length).toBe(2);
  });

  test('keeps the part when it gives up, and the next call goes on', async () => {
    const { url } = await serve(ranged(9));
    await expect(download({ url, to, sha256, retries: 1, ...quick })).rejects.toMatchObject({
      code: 'download-failed',
    });
    expect(existsSync(`${to}.part`)).toBe(true);
    expect(existsSync(to)).toBe(false);
    const better = await serve(ranged(0));
    await download({ url: better.url, to, sha256, ...quick });
    expect(better.ranges).toEqual(['bytes=140000-']);
    expect(readFileSync(to).equals(content)).toBe(true);
  });

  test('starts again when the server ignores Range', async () => {
    let cuts = 1;
    const { url, ranges } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': content.length });
      if (cuts-- > 0) sendAndCut(response, content.subarray(0, 50_000), 50_000);
      else response.end(content);
    });
    await download({ url, to, sha256, ...quick });
    expect(ranges).toEqual([undefined, 'bytes=50000-']);
    expect(readFileSync(to).equals(content)).toBe(true);
  });

  test('corrupted bytes are refused and the part is removed', async () => {
    const { url } = await serve((_, response) => response.end(content.toReversed()));
    await expect(download({ url, to, sha256, ...quick })).rejects.toThrow(
      /must have the sha256 .*, got .*\. The partial file was removed: try again/,
    );
    expect(existsSync(`${to}.part`)).toBe(false);
    expect(existsSync(to)).toBe(false);
  });

  test('a bad part of an earlier call is thrown away and fetched afresh', async () => {
    const { url, ranges } = await serve(ranged(0));
    await download({ url, to, ...quick });
    writeFileSync(`${to}.part`, content.toReversed().subarray(0, 1000));
    await download({ url, to, sha256, ...quick });
    writeFileSync(`${to}.part`, Buffer.concat([content, content])); // longer than the file: 416
    await download({ url, to, sha256, ...quick });
    expect(ranges).toEqual([undefined, 'bytes=1000-', undefined, 'bytes=400000-', undefined]);
    expect(readFileSync(to).equals(content)).toBe(true);
  });

  test('without a checksum an old part is not trusted', async () => {
    const { url, ranges } = await serve(ranged(1));
    await download({ url, to, ...quick });
    writeFileSync(`${to}.part`, 'stale');
    expect((await download({ url, to, ...quick })).sha256).toBe(sha256);
    expect(ranges).toEqual([undefined, 'bytes=70000-', undefined]);
  });

  test('a server that says no is believed at once; one that is gone is asked again', async () => {
    const { url, ranges } = await serve((_, response) => response.writeHead(404).end('nothing'));
    await expect(download({ url, to, sha256, ...quick })).rejects.toMatchObject({ code: 'download-refused' });
    expect(ranges.length).toBe(1);
    const busy = await serve((_, response) => response.writeHead(503).end());
    await expect(download({ url: busy.url, to, sha256, retries: 2, ...quick })).rejects.toThrow(
      'could not be fetched in 3 tries (last: the server answered 503)',
    );
    closing.splice(0).forEach((close) => void close());
    await expect(download({ url, to, sha256, retries: 1, ...quick })).rejects.toThrow('ECONNREFUSED');
  });

  test('a silent line counts as cut', async () => {
    const { url } = await serve((_, response) => response.writeHead(200).write('x'));
    await expect(download({ url, to, idleMs: 50, retries: 1, ...quick })).rejects.toThrow('no answer for 50 ms');
  });

  test.each([
    ['says so', { 'content-length': String(content.length) }],
    ['does not say so', {}],
  ])('a server that sends more than is wanted and %s is refused, and nothing stays', async (_, headers) => {
    const { url, ranges } = await serve((_, response) => {
      response.writeHead(200, headers);
      response.end(content);
    });
    const refused = download({ url, to, maxBytes: content.length - 1, ...quick });
    await expect(refused).rejects.toMatchObject({ code: 'too-large' });
    expect([ranges.length, existsSync(to), existsSync(`${to}.part`)]).toEqual([1, false, false]);
    expect((await download({ url, to, maxBytes: content.length, ...quick })).sizeBytes).toBe(content.length);
  });

  test('can be cancelled', async () => {
    const abort = new AbortController();
    const { url } = await serve((_, response) => response.writeHead(200).write('x'));
    setTimeout(() => abort.abort(), 50);
    await expect(download({ url, to, signal: abort.signal, ...quick })).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('a folder that cannot be made, and a full disk', async (context) => {
    const { url } = await serve(ranged(0));
    writeFileSync(join(folder, 'deep'), 'a file, not a folder');
    await expect(download({ url, to, sha256, ...quick })).rejects.toMatchObject({ code: 'disk' });
    if (!existsSync('/dev/full')) return context.skip('no /dev/full to play a full disk');
    const full = join(folder, 'full.bin');
    symlinkSync('/dev/full', `${full}.part`);
    await expect(download({ url, to: full, sha256, ...quick })).rejects.toThrow(
      /full\.bin cannot be written \(ENOSPC.*Free some space or choose another folder \(ODDITY_DATA\)\./,
    );
  });
});
