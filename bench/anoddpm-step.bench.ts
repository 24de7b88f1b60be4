/**
 * AnoDDPM's U-Net (width 32) against PyTorch eager doing the same work on two threads: training steps and reverse steps of
 * eight images, a walk of 25 DDIM steps and the fast mode on one image, and the memory that each needs. Every contestant
 * is a process of its own, and they take turns, so that all see the same machine; seconds of the processor are told beside
 * those of the clock.
 * `npm run bench -- anoddpm-step [--json] [--rounds n] [--side 64|128] [--save]`. Needs python3-torch for the ratios.
 */
import { loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { Rng } from '../src/core/random.ts';
import { sizeOf } from '../src/core/shape.ts';
import { float32, type Tensors } from '../src/core/tensor.ts';
import { scoringProgram } from '../src/engine/scoring/graph.ts';
import * as g from '../src/graph/index.ts';
import { anoddpm } from '../src/models/index.ts';
import { ddimSample } from '../src/models/parts/diffusion.ts';
import { predictNoise } from '../src/models/parts/nets/diffusion-unet.ts';
import * as nn from '../src/nn/index.ts';
import { openRuntime, type Session } from '../src/runtime/index.ts';
import { type Answer, type Answering, answering, median, option, pytorch, saveRows } from './measure.ts';

const BATCH = 8;
/** Training steps of one call: what the engine makes of steps that take longer than a fifth of a second. */
const PER_CALL = 1;
/** Reverse steps of one call. */
const REVERSE_STEPS = 4;
const TURNS = 25;
const kinds = ['train', 'reverse', 'walk', 'fast'] as const;

interface Question {
  side: number;
  kind: (typeof kinds)[number];
  /** Steps of training, reverse steps, or images. */
  steps: number;
}

/** Our side: does what each line of the input asks, and says how long it took and how much memory was needed so far. */
async function answer(): Promise<void> {
  if (anoddpm.learns !== 'gradient') throw new Error(`${anoddpm.name} does not learn by gradient.`);
  const { config, phases } = anoddpm;
  const runtime = await openRuntime('cpu');
  const opened = new Map<string, (steps: number) => Promise<void>>();
  const open = async ({ side, kind }: Question): Promise<(steps: number) => Promise<void>> => {
    const options = config.parse({ width: 32, attention: 32, noise: 'gaussian', batchSize: BATCH });
    const shape = [BATCH, 1, side, side];
    const [{ phase }] = phases(options, [1, side, side]);
    const assembled = nn.assemble(phase, { shape });
    const weights = nn.initialize(assembled.specs, new Rng(1));
    const rng = new Rng(2);
    if (kind === 'train') {
      const session = await runtime.compile(assembled.program);
      await session.setState(assembled.pack(weights));
      const feeds: Tensors = {};
      for (const feed of assembled.feeds) {
        if (feed.kind === 'rate') feeds[feed.name] = float32(new Float32Array(PER_CALL).fill(feed.rate(0, 1)));
        const all = [PER_CALL, ...('shape' in feed ? feed.shape : [])];
        if (feed.kind === 'batch') feeds[feed.name] = float32(rng.uniforms(sizeOf(all)), all);
        if (feed.kind !== 'draw') continue;
        const drawn = [PER_CALL, ...feed.draw.shape];
        feeds[feed.name] = float32(nn.sample({ ...feed.draw, shape: drawn }, rng), drawn);
      }
      return async (steps) => {
        for (let done = 0; done < steps; done += PER_CALL) await check(session, feeds, 'fit.loss');
      };
    }
    if (kind === 'reverse') {
      const trace = new nn.Trace(false, weights);
      const x = g.input('x', shape);
      const denoise = (now: g.Value, step: g.Value) => predictNoise(options, trace.group('unet'), now, step);
      const walked = ddimSample(nn.noiseSchedule('linear', 1000), denoise, x, { lambda: 200, turns: REVERSE_STEPS });
      const known = g.substitute(
        [walked],
        new Map([...trace.parameters.values()].map(({ spec, value }) => [value, g.constant(weights[spec.name])])),
      );
      const session = await runtime.compile({ name: 'reverse', outputs: { y: known[0] }, carry: {} });
      const feeds = { x: float32(rng.normals(sizeOf(shape)), shape) };
      return async (steps) => {
        for (let done = 0; done < steps; done += REVERSE_STEPS) await check(session, feeds, 'y');
      };
    }
    const reversal = kind === 'fast' ? 'fast' : 'ddim';
    const program = scoringProgram(anoddpm, { ...options, reversal, turns: TURNS }, [1, side, side], weights);
    const session = await runtime.compile(program);
    const feeds = { image: float32(rng.uniforms(side * side), [1, 1, side, side]) };
    return async (images) => {
      for (let done = 0; done < images; done++) await check(session, feeds, 'score');
    };
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const question = JSON.parse(line) as Question;
    const key = `${question.kind} ${question.side}`;
    if (!opened.has(key)) opened.set(key, await open(question));
    const [begin, before] = [performance.now(), process.cpuUsage()];
    await opened.get(key)!(question.steps);
    const seconds = (performance.now() - begin) / 1000;
    const { user, system } = process.cpuUsage(before);
    const told: Answer = { seconds, cpuSeconds: (user + system) / 1e6, peakMiB: process.resourceUsage().maxRSS / 1024 };
    console.log(JSON.stringify(told));
  }
  await runtime.close();
}

async function check(session: Session, feeds: Tensors, output: string): Promise<void> {
  const results = await session.run(feeds);
  if (!results[output].data.every((v) => Number.isFinite(Number(v)))) throw new Error(`${output} is not finite.`);
}

/** How much of each kind a turn is. */
const steps: Record<Question['kind'], number> = { train: 2, reverse: REVERSE_STEPS, walk: 1, fast: 2 };

/** Ours and, where it is there, PyTorch with one and two threads of its matrix products. */
async function open(first: Question): Promise<Answering[]> {
  const ours = await answering(process.execPath, [process.argv[1], '--answer'], {}, first);
  if (!ours) throw new Error('Our own side did not answer.');
  const twins: (Answering | undefined)[] = [];
  for (const threads of [1, 2]) twins.push(await pytorch('anoddpm_step.py', first, threads));
  const torch = twins.filter((twin) => twin !== undefined);
  if (torch.length === 0) console.error('PyTorch is absent (Debian: python3-torch): no ratios.');
  return [ours, ...torch];
}

async function compare(sides: readonly number[]): Promise<void> {
  const rounds = Number(option('rounds') || 5);
  const rows: Record<string, unknown>[] = [];
  for (const side of sides) {
    const ask = (kind: Question['kind']): Question => ({ side, kind, steps: steps[kind] });
    const contestants = await open(ask('reverse'));
    // Memory is a process's largest, so each kind gets processes of its own, of which the second call counts too.
    const peaks = new Map<string, number[]>();
    for (const kind of ['train', 'reverse'] as const) {
      const alone = await open(ask(kind));
      const seen: number[] = [];
      for (const contestant of alone) {
        seen.push((await contestant(ask(kind))).peakMiB ?? Number.NaN);
        contestant.end();
      }
      peaks.set(kind, seen);
    }
    for (const kind of kinds) for (const contestant of contestants) await contestant(ask(kind));
    const times = new Map(kinds.map((kind) => [kind, contestants.map(() => [] as Required<Answer>[])]));
    for (let round = 0; round < rounds; round++)
      for (const kind of kinds)
        for (const [i, contestant] of contestants.entries())
          times.get(kind)![i].push((await contestant(ask(kind))) as Required<Answer>);
    for (const contestant of contestants) contestant.end();
    for (const kind of kinds) {
      const of = (key: 'seconds' | 'cpuSeconds') => {
        const [own, ...theirs] = times.get(kind)!.map((list) => list.map((a) => (1000 * a[key]) / steps[kind]));
        // Pair by pair within a round, against PyTorch's faster setting of that round.
        const best = own.map((_, r) => Math.min(...theirs.map((list) => list[r])));
        return { own: median(own), theirs: median(best), ratio: median(best.map((t, r) => t / own[r])) };
      };
      const [wall, cpu] = [of('seconds'), of('cpuSeconds')];
      const [memory, ...memories] = peaks.get(kind) ?? [];
      const compared = contestants.length > 1;
      const batch = kind === 'train' || kind === 'reverse' ? BATCH : 1;
      rows.push({
        name: `${kind === 'walk' ? `walk of ${TURNS} steps` : kind} ${batch}x1x${side}x${side}`,
        milliseconds: Number(wall.own.toFixed(1)),
        pytorchMilliseconds: compared ? Number(wall.theirs.toFixed(1)) : null,
        ratioToPyTorch: compared ? Number(wall.ratio.toFixed(3)) : null,
        cpuMilliseconds: Number(cpu.own.toFixed(1)),
        pytorchCpuMilliseconds: compared ? Number(cpu.theirs.toFixed(1)) : null,
        cpuRatioToPyTorch: compared ? Number(cpu.ratio.toFixed(3)) : null,
        peakMiB: memory === undefined ? null : Math.round(memory),
        pytorchPeakMiB: memories.length > 0 ? Math.round(Math.min(...memories)) : null,
        loadAverage: Number(loadavg()[0].toFixed(1)),
      });
      if (option('json') === undefined) console.log(JSON.stringify(rows.at(-1)));
    }
  }
  if (option('json') !== undefined) console.log(JSON.stringify({ rounds, rows }));
  await saveRows('anoddpm-step', rows);
}

if (option('answer') !== undefined) await answer();
else await compare(option('side') ? [Number(option('side'))] : [64, 128]);
