import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WatchRecord } from '../journal.ts';
import { commandSink, wordsOf } from './command.ts';
import { Refused } from './sink.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'oddity-command-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const { signal } = new AbortController();
const deliveryOf = (path: string) => ({
  record: { id: '1', path, stamp: '1', time: 't', score: 2 } satisfies WatchRecord,
  file: join('/watched', path),
});

describe('a command as words', () => {
  it('is parted by spaces, with quotes', () => {
    expect(wordsOf(`notify  --to "line 3" 'it''s'`)).toBeUndefined();
    expect(wordsOf(`notify  --to "line 3" 'a b' `)).toEqual(['notify', '--to', 'line 3', 'a b']);
    expect(wordsOf('notify "open')).toBeUndefined();
    expect(wordsOf('  ')).toEqual([]);
  });
});

describe('a program that is run for each result', () => {
  it('reads it from its standard input, and nothing of it is a word of a command', async () => {
    const place = join(root, 'got');
    const script = join(root, 'with space.sh');
    await writeFile(script, `#!/bin/sh\necho "$#:$1" > "${place}.args"\ncat > "${place}"\n`);
    await chmod(script, 0o755);
    const sink = await commandSink(`"${script}" '$(touch ${root}/pwned)'`);
    const path = `a";touch ${root}/pwned;$(touch ${root}/pwned).png`;
    await sink.deliver(deliveryOf(path), signal);
    expect(JSON.parse(await readFile(place, 'utf8'))).toMatchObject({ path, score: 2, file: join('/watched', path) });
    expect(await readFile(`${place}.args`, 'utf8')).toBe(`1:$(touch ${root}/pwned)\n`);
    await expect(readFile(join(root, 'pwned'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is tried again after code 75, and given up after any other', async () => {
    const ending = async (code: number) => {
      const sink = await commandSink(`sh -c "echo no luck >&2; exit ${code}"`);
      return sink.deliver(deliveryOf('a.png'), signal).catch((error: Error) => error) as Promise<Error>;
    };
    const [again, never] = [await ending(75), await ending(3)];
    expect(again).not.toBeInstanceOf(Refused);
    expect(again.message).toBe('sh ended with code 75: no luck');
    expect(never).toBeInstanceOf(Refused);
    expect(never.message).toBe('sh ended with code 3: no luck');
  });

  it('need not read, and may be ended', async () => {
    const sink = await commandSink('true');
    await sink.deliver(deliveryOf('a.png'.repeat(50_000)), signal);
    const stop = new AbortController();
    const slow = (await commandSink('sleep 20')).deliver(deliveryOf('a.png'), stop.signal);
    setTimeout(() => stop.abort(), 50);
    await expect(slow).rejects.toThrow();
  });

  it('must be there', async () => {
    await expect(commandSink('no-such-program-here --x')).rejects.toMatchObject({ code: 'hook' });
    await expect(commandSink(join(root, 'gone.sh'))).rejects.toMatchObject({ code: 'hook' });
    await expect(commandSink(' ')).rejects.toMatchObject({ code: 'hook' });
  });
});
