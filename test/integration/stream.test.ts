/** `oddity stream` as users meet it: lines from standard input and from files that grow, stopped, killed and resumed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StreamRecord, streamLines } from '../../dist/index.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-stream-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const at = (name: string) => join(root, name);
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly records: StreamRecord[];
}

/** Starts the command; `heard` resolves once both outputs together fit the pattern. */
function start(args: readonly string[], input?: string) {
  const child: ChildProcess = spawn(process.execPath, [main, 'stream', ...args], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', COLUMNS: '400' },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (text) => {
    stdout += text;
  });
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(input ?? '');
  const done = new Promise<Finished>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr, records: parsed(stdout) }));
  });
  const until = async (isThere: (output: { stdout: string; stderr: string }) => boolean) => {
    for (let i = 0; i < 600 && !isThere({ stdout, stderr }); i++) await new Promise((go) => setTimeout(go, 50));
    expect(isThere({ stdout, stderr }), `${stdout}\n${stderr}`).toBe(true);
  };
  return { child, done, until };
}

const parsed = (stdout: string) =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as StreamRecord);

const stream = (args: readonly string[], input?: string) => start(args, input).done;

/** A minute a row; `load` is 40 higher for 20 rows of each 700. */
function rowsOf(from: number, to: number): string {
  let text = '';
  for (let t = from; t < to; t++) {
    const isOdd = t % 700 >= 600 && t % 700 < 620;
    const load = 20 + Math.sin(t / 7) + (isOdd ? 40 : 0) + ((t * 7919) % 13) / 100;
    const time = new Date(Date.UTC(2026, 2, 2) + 60_000 * t).toISOString().slice(0, 19).replace('T', ' ');
    text += `${time},${load.toFixed(3)},${Math.cos(t / 9).toFixed(3)}\n`;
  }
  return text;
}
const HEAD = 'when,load,flow\n';
const detector = ['--detector', 'windowed-gaussian', '--set', 'window=400', '--set', 'step=10'];
const rule = [...detector, '--threshold', '0.9999', '--merge-gap', '5'];
const json = (t: number, load: number | null) => `${JSON.stringify({ ts: 1_767_225_600 + 10 * t, load })}\n`;

/** What all lines give in one go. */
let whole: Finished;
beforeAll(async () => {
  writeFileSync(at('log.csv'), HEAD + rowsOf(0, 3000));
  whole = await stream(['log.csv', ...rule]);
});

describe('lines of a file', () => {
  it('give a record where an alarm begins and one where it ends', () => {
    expect(whole.code).toBe(0);
    const starts = whole.records.filter((r) => r.alarm?.end === null).map((r) => r.alarm?.start);
    for (const odd of [600, 1300, 2000, 2700]) expect(starts).toContain(odd);
    expect(whole.records.filter((r) => r.alarm?.end !== null)).toHaveLength(starts.length);
    const first = whole.records.find((r) => r.alarm?.start === 600);
    expect(first).toMatchObject({ at: 600, line: 602, time: '2026-03-02T10:00:00.000Z', decision: 'anomalous' });
    expect(first?.score).toBeGreaterThanOrEqual(0.9999);
    expect(first?.threshold).toBe(0.9999);
    expect(first?.channels.map(({ name }) => name)).toEqual(['load', 'flow']);
    expect(first?.channels[0].share).toBeGreaterThan(0.9);
    expect(first?.expected?.load).toBeCloseTo(20, 0);
  });

  it('tell what was read, and how late an alarm is', () => {
    expect(whole.stderr).toContain('log.csv: channels load, flow; times in when');
    expect(whole.stderr).toMatch(/3000 points, 0 skipped; \d+ alarms; \d+ points a second/);
    expect(whole.stderr).toContain('told 0 s after its first step, its end 360 s after its last (a step is 1 minute)');
  });

  it('give the same from standard input, and from a program', async () => {
    const input = readFileSync(at('log.csv'), 'utf8');
    expect((await stream([...rule], input)).stdout).toBe(whole.stdout);
    expect((await stream(['-', ...rule, '--quiet'], input.replaceAll('\n', '\r\n'))).stdout).toBe(whole.stdout);
    const records: StreamRecord[] = [];
    const summary = await streamLines({
      file: at('log.csv'),
      detector: 'windowed-gaussian',
      config: { window: 400, step: 10 },
      threshold: 0.9999,
      alarms: { gap: 5 },
      onRecord: async (record) => {
        await new Promise((go) => setTimeout(go, 1));
        records.push(record);
      },
    });
    expect(records).toEqual(whole.records);
    expect(summary).toMatchObject({ points: 3000, skipped: 0, line: 3001 });
  });

  it('give a record each with --every, and only the channels that are named', async () => {
    const { records } = await stream(['log.csv', ...rule, '--every', '--channels', 'load']);
    expect(records.length).toBe(3000);
    expect(records[0]).toMatchObject({ at: 0, line: 2, score: null, decision: null, alarm: null });
    expect(records[2999].channels).toEqual([{ name: 'load', share: 1 }]);
  });

  it('may be JSON objects, with a cell that is missing now and then', async () => {
    const lines = Array.from({ length: 400 }, (_, t) => json(t, t === 150 ? null : t === 350 ? 900 : 20 + Math.sin(t)));
    const { code, records, stderr } = await stream([...rule], lines.join(''));
    expect(code).toBe(0);
    expect(records.some((r) => r.alarm?.start === 350 && r.time === '2026-01-01T00:58:20.000Z')).toBe(true);
    expect(stderr).toContain('400 points, 1 skipped (line 151)');
  });

  it('may be none', async () => {
    for (const input of ['', 'when,load\n']) {
      const { code, stdout, stderr } = await stream([], input);
      expect([code, stdout]).toEqual([0, '']);
      expect(stderr).toContain('0 points, 0 skipped; 0 alarms');
    }
  });
});

describe('lines that do not fit', () => {
  const rows = rowsOf(0, 300);

  it('a cell that is no number is skipped, told at once and counted', async () => {
    const bad = '2026-03-02 05:00:00,error,0.1\n2026-03-02 05:01:00,,0.1\n';
    const { code, stderr } = await stream([...rule], HEAD + rows + bad + rowsOf(302, 400));
    expect(code).toBe(0);
    expect(stderr).toContain('warning: input:302: load must be a number, found "error".');
    expect(stderr).toContain('400 points, 2 skipped (lines 302, 303)');
  });

  it('times that go back and texts that are none are told', async () => {
    const { code, stderr } = await stream([...rule], `${HEAD}${rows}2026-03-02 04:00:00,20,0.1\nsoon,20,0.1\n`);
    expect(code).toBe(0);
    expect(stderr).toContain('times must go on, but 2026-03-02 04:00:00 lies 59 minutes before the time above it');
    expect(stderr).toContain('"soon" is no time');
    expect(stderr).toContain('1 time went back.');
    expect(stderr).toContain('1 time could not be read.');
  });

  it.each([
    ['another number of cells', '2026-03-02 05:00:00,20\n', 'expected 3, found 2 in "2026-03-02 05:00:00,20"'],
    ['another head', 'when,load,pressure\n', 'expected when, load, flow, found when, load, pressure'],
    ['a longer head', 'when,load,flow,pressure\n', 'found when, load, flow, pressure'],
  ])('%s ends the stream, and what came before is kept', async (_, line, sentence) => {
    writeFileSync(at('bad.csv'), HEAD + rows + line + rowsOf(300, 1000));
    rmSync(at('bad.state'), { force: true });
    const args = ['bad.csv', ...rule, '--state', 'bad.state'];
    const refused = await stream(args);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('error: bad.csv:302: ');
    expect(refused.stderr).toContain(sentence);
    // Mended, it goes on behind the last good line.
    writeFileSync(at('bad.csv'), HEAD + rows + rowsOf(300, 1000));
    const mended = await stream(args);
    expect(mended.stderr).toContain('700 points');
    expect([...refused.records, ...mended.records]).toEqual((await stream(['bad.csv', ...rule])).records);
  });

  it('a head that is repeated is no point', async () => {
    const { code, stderr } = await stream([...rule], HEAD + rows + HEAD + rowsOf(300, 310));
    expect([code, stderr.includes('310 points, 0 skipped')]).toEqual([0, true]);
  });

  it.each([
    ['numbers without a head', '1,2\n3,4\n', 'the first line must name the columns'],
    ['no channel', 'a,b\nx,y\n', 'must have a column of numbers'],
    ['a line that is no JSON', `${json(0, 1)}{"ts":\n`, 'input:2: each line must be a JSON object'],
    ['two columns of one name', 'a,a\n1,2\n', 'found "a" twice'],
  ])('%s', async (_, input, sentence) => {
    const { code, stderr } = await stream([], input);
    expect(code).toBe(3);
    expect(stderr).toContain(sentence);
  });

  it.each([
    [['--detector', 'half-space-tree'], 'Did you mean "half-space-trees"?'],
    [['--threshold', 'sopt'], 'Did you mean "spot"?'],
    [['--threshold', '3', '--fpr', '0.01'], 'Leave --fpr out.'],
    [['--set', 'windw=3'], 'no option named "windw"'],
    [['--follow'], '--follow needs a file'],
  ])('options %j', async (args, sentence) => {
    const { code, stderr } = await stream(args);
    expect(code).toBe(2);
    expect(stderr).toContain(sentence);
  });
});

describe('a state', () => {
  it('goes on behind the last line, with the alarm that lasts; a last line without its end waits', async () => {
    const rows = rowsOf(0, 3000);
    const cut = rows.indexOf('\n', rows.length / 5 + 400) - 3; // in the middle of a line
    const args = ['parts.csv', ...rule, '--state', 'parts.state'];
    writeFileSync(at('parts.csv'), HEAD + rows.slice(0, cut));
    const first = await stream(args);
    appendFileSync(at('parts.csv'), rows.slice(cut));
    const second = await stream(args);
    expect(first.stdout + second.stdout).toBe(whole.stdout);
    const third = await stream(args);
    expect([third.code, third.stdout, /0 points/.test(third.stderr)]).toEqual([0, '', true]);
  });

  it('is told of a file that begins anew, and of other options', async () => {
    const args = ['anew.csv', ...rule, '--state', 'anew.state'];
    writeFileSync(at('anew.csv'), HEAD + rowsOf(0, 200));
    await stream(args);
    for (const rows of [rowsOf(500, 510), rowsOf(500, 900)]) {
      writeFileSync(at('anew.csv'), HEAD + rows);
      const { code, stderr } = await stream(args);
      expect(code).toBe(3);
      expect(stderr).toContain('anew.csv must only grow while it is streamed');
    }
    // As standard input what was learnt goes on.
    const input = await stream([...rule, '--state', 'anew.state', '--every'], HEAD + rowsOf(200, 210));
    expect(input.records.map((r) => r.at)).toEqual(Array.from({ length: 10 }, (_, i) => 200 + i));
    const other = await stream([...rule, '--state', 'anew.state', '--set', 'window=99'], HEAD);
    expect(other.code).toBe(3);
    expect(other.stderr).toContain('anew.state: The saved state is of another stream');
    const head = await stream([...rule, '--state', 'anew.state'], `when,load,pressure\n${rowsOf(0, 1)}`);
    expect([head.code, head.stderr.includes('found when, load, pressure')]).toEqual([3, true]);
  });

  it('that is damaged is refused, whatever is wrong with it', async () => {
    writeFileSync(at('good.csv'), HEAD + rowsOf(0, 200));
    await stream(['good.csv', ...rule, '--state', 'good.state']);
    const bytes = readFileSync(at('good.state'));
    const flipped = Buffer.from(bytes);
    flipped[bytes.length >> 1] ^= 1;
    for (const damaged of [bytes.subarray(0, 10), bytes.subarray(0, bytes.length - 8), flipped, Buffer.alloc(0)]) {
      writeFileSync(at('damaged.state'), damaged);
      const { code, stderr } = await stream(['good.csv', ...rule, '--state', 'damaged.state']);
      expect(code).toBe(3);
      expect(stderr).toContain('error: damaged.state: The saved state of a stream cannot be read');
      expect(readFileSync(at('damaged.state')).equals(damaged)).toBe(true);
    }
  });
});

describe('a file that grows', () => {
  it('is followed until SIGTERM, and goes on where it was', { timeout: 120_000 }, async () => {
    const args = ['grow.csv', ...rule, '--state', 'grow.state', '--follow'];
    writeFileSync(at('grow.csv'), HEAD + rowsOf(0, 500));
    let output = '';
    // Stopped in the middle of an alarm, and in the middle of a line.
    for (const [from, to, alarm] of [
      [500, 1000, 600],
      [1000, 1310, 1300],
      [1310, 3000, 2700],
    ]) {
      const run = start(args);
      await run.until(({ stderr }) => from === 500 || stderr.includes('channels'));
      const rows = rowsOf(from, to);
      const half = rows.length >> 1;
      appendFileSync(at('grow.csv'), rows.slice(0, half));
      await new Promise((go) => setTimeout(go, 200));
      appendFileSync(at('grow.csv'), rows.slice(half));
      await run.until(({ stdout }) => parsed(stdout).some((r) => r.alarm?.start === alarm));
      run.child.kill('SIGTERM');
      const { code, signal, stdout, stderr } = await run.done;
      expect(code === 130 || signal === 'SIGINT').toBe(true);
      expect(stderr).toContain('grow.state keeps what was learnt: run the same again to go on.');
      output += stdout;
    }
    const rest = await stream(args.slice(0, -1));
    expect(output + rest.stdout).toBe(whole.stdout);
  });

  it('and is killed: lines behind the last state give the same records again', { timeout: 120_000 }, async () => {
    const args = ['kill.csv', ...rule, '--state', 'kill.state'];
    const rows = rowsOf(0, 26_000);
    writeFileSync(at('kill.csv'), HEAD + rows);
    const run = start([...args, '--follow']);
    await run.until(() => existsSync(at('kill.state')));
    run.child.kill('SIGKILL');
    const killed = await run.done;
    expect(killed.signal).toBe('SIGKILL');
    const resumed = await stream(args);
    expect(resumed.code).toBe(0);
    expect(resumed.records[0].line).toBeGreaterThan(9000);
    const lines = new Set(`${killed.stdout}${resumed.stdout}`.split('\n'));
    expect([...lines].filter((line) => line !== '').join('\n')).toBe(
      (await stream(['kill.csv', ...rule, '--state', 'new.state'])).stdout.trim(),
    );
  });

  it('and becomes shorter is told', async () => {
    writeFileSync(at('short.csv'), HEAD + rowsOf(0, 300));
    const run = start(['short.csv', ...rule, '--follow', '--every']);
    await run.until(({ stdout }) => stdout.includes('"line":301'));
    writeFileSync(at('short.csv'), HEAD);
    const { code, stderr } = await run.done;
    expect(code).toBe(3);
    expect(stderr).toContain('short.csv must only grow while it is streamed, but');
  });
});
