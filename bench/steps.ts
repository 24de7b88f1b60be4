/**
 * How a bench of training steps is made: our step, PyTorch's and (for some networks) that on WebAssembly in turns, so
 * that all see the same machine.
 */
import { Rng } from '../src/core/random.ts';
import { sizeOf } from '../src/core/shape.ts';
import { float32, type Tensors } from '../src/core/tensor.ts';
import * as g from '../src/graph/index.ts';
import { topological } from '../src/graph/index.ts';
import * as nn from '../src/nn/index.ts';
import { openRuntime, type Runtime, type Session } from '../src/runtime/index.ts';
import { median, option, pytorch, saveRows } from './measure.ts';

/** A network whose training step is timed, ours and, at the same place of the twin's list, PyTorch's. */
export interface BenchNet {
  name: string;
  /** Batch, channels, height, width. */
  shape: readonly [number, number, number, number];
  phase: nn.Phase;
  /** Time it on WebAssembly too. */
  onWasm?: boolean;
}

/** Multiply–adds times two of the convolutions and matrix products of a program. */
function flops(program: g.Program): number {
  let total = 0;
  for (const node of topological(Object.values(program.outputs))) {
    const [a, b] = node.inputs.map((v) => v.shape as number[]);
    const y = node.outputs[0]?.shape as number[];
    if (node.op.name === 'conv') total += 2 * sizeOf(y) * sizeOf(b.slice(1));
    if (node.op.name === 'convInputGradient') total += 2 * sizeOf(a) * sizeOf(b.slice(1));
    if (node.op.name === 'convWeightGradient') total += 2 * sizeOf(b) * sizeOf(y.slice(1));
    if (node.op.name === 'matMul') total += 2 * sizeOf(y) * (node.attributes.transposeA ? a.at(-2)! : a.at(-1)!);
  }
  return total;
}

interface Contestant {
  /** Runs steps and returns seconds. */
  run(steps: number): Promise<number>;
  close(): Promise<void>;
}

/** Our step on a device. */
async function ours(
  net: BenchNet,
  runtime: Runtime,
  profile = false,
): Promise<Contestant & { flops: number; session: Session }> {
  const phase = nn.assemble(net.phase, { shape: net.shape });
  const session = await runtime.compile(phase.program, { profile });
  const rng = new Rng(1);
  await session.setState(phase.pack(nn.initialize(phase.specs, rng)));
  const perCall = 4;
  const feeds: Tensors = {};
  for (const feed of phase.feeds) {
    if (feed.kind === 'rate') feeds[feed.name] = float32(new Float32Array(perCall).fill(feed.rate(0, 1)));
    if (feed.kind === 'batch')
      feeds[feed.name] = float32(rng.uniforms(perCall * sizeOf(feed.shape)), [perCall, ...feed.shape]);
    if (feed.kind === 'draw') {
      const shape = [perCall, ...feed.draw.shape];
      feeds[feed.name] = float32(nn.sample({ ...feed.draw, shape }, rng), shape);
    }
  }
  return {
    flops: flops(phase.program),
    session,
    async run(steps) {
      const begin = performance.now();
      for (let done = 0; done < steps; done += perCall) {
        const results = await session.run(feeds);
        const bad = phase.metrics.find((name) => !results[name].data.every((v) => Number.isFinite(Number(v))));
        if (bad) throw new Error(`${net.name}: ${bad} is not finite.`);
      }
      return (performance.now() - begin) / 1000;
    },
    close: () => session.close(),
  };
}

/** GFLOP/s of a 2048³ matrix product. */
async function matrixPeak(runtime: Runtime): Promise<() => Promise<number>> {
  const size = 2048;
  const [a, b] = [g.input('a', [size, size]), g.input('b', [size, size])];
  const session = await runtime.compile({ name: 'peak', outputs: { y: g.reduceMax(g.matMul(a, b)) }, carry: {} });
  const data = () => float32(new Rng(1).uniforms(size * size), [size, size]);
  await session.setState({ a: data(), b: data() });
  return async () => {
    const begin = performance.now();
    await session.run({});
    return (2 * size ** 3) / (performance.now() - begin) / 1e6;
  };
}

/**
 * Times the networks against the script's under bench/pytorch, prints a line for each and saves the rows as `name`.
 * Options of the command: `--json`, `--rounds n`, `--seconds n` (of a turn), `--save`.
 */
export async function benchSteps(name: string, script: string, nets: readonly BenchNet[]): Promise<void> {
  const rounds = Number(option('rounds') || 7);
  /** Each turn of each contestant lasts about this long. */
  const turnSeconds = Number(option('seconds') || 1.5);
  const quiet = option('json') !== undefined;
  const cpu = await openRuntime('cpu');
  const peak = await matrixPeak(cpu);
  const torch = (await Promise.all([1, 2].map((threads) => pytorch(script, { net: 0, steps: 1 }, threads)))).filter(
    (t) => t !== undefined,
  );
  if (torch.length === 0) console.error('PyTorch is absent (Debian: python3-torch, libopenblas0-pthread): no ratios.');
  const peaks: number[] = [];
  /** What WebAssembly's matrix product reaches, in the rounds in which its training step is timed. */
  const webPeaks: number[] = [];
  const rows: Record<string, unknown>[] = [];
  for (const [index, net] of nets.entries()) {
    const native = await ours(net, cpu);
    const wasm = net.onWasm ? await openRuntime('wasm') : undefined;
    const web = wasm && (await ours(net, wasm));
    const webPeak = wasm && (await matrixPeak(wasm));
    const contestants: [string, (steps: number) => Promise<number>][] = [
      ['oddity', native.run],
      ...torch.map((ask, i): [string, (steps: number) => Promise<number>] => [
        `torch-${i + 1}`,
        async (steps) => (await ask({ net: index, steps })).seconds,
      ]),
      ...(web ? ([['wasm', web.run]] as [string, (steps: number) => Promise<number>][]) : []),
    ];
    const perStep = new Map<string, number>();
    for (const [name, run] of contestants) {
      await run(4);
      perStep.set(name, (await run(4)) / 4);
    }
    const times = new Map<string, number[]>(contestants.map(([name]) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      peaks.push(Math.max(await peak(), await peak()));
      if (webPeak) webPeaks.push(Math.max(await webPeak(), await webPeak()));
      for (const [name, run] of contestants) {
        const steps = Math.max(4, 4 * Math.round(turnSeconds / perStep.get(name)! / 4));
        times.get(name)!.push((await run(steps)) / steps);
      }
    }
    const seconds = (name: string) => median(times.get(name)!);
    const best = torch.length > 0 ? Math.min(...torch.map((_, i) => seconds(`torch-${i + 1}`))) : undefined;
    // Pair by pair within a round, against PyTorch's faster setting of that round.
    const ratios = times
      .get('oddity')!
      .map((t, r) => Math.min(...torch.map((_, i) => times.get(`torch-${i + 1}`)![r])) / t);
    const gflops = native.flops / seconds('oddity') / 1e9;
    rows.push({
      name: net.name,
      stepsPerSecond: Number((1 / seconds('oddity')).toFixed(2)),
      millisecondsPerStep: Number((seconds('oddity') * 1000).toFixed(2)),
      pytorchMillisecondsPerStep: best === undefined ? null : Number((best * 1000).toFixed(2)),
      ratioToPyTorch: torch.length > 0 ? Number(median(ratios).toFixed(3)) : null,
      gflops: Number(gflops.toFixed(1)),
      shareOfPeak: Number((gflops / median(peaks)).toFixed(3)),
      wasmShareOfNative: web ? Number((seconds('oddity') / seconds('wasm')).toFixed(3)) : null,
    });
    await native.close();
    await wasm?.close();
    if (!quiet) {
      const row = rows.at(-1)!;
      console.log(
        `${net.name.padEnd(28)} ${row.millisecondsPerStep} ms a step, PyTorch ${row.pytorchMillisecondsPerStep} ms, ratio ${row.ratioToPyTorch}, ${row.gflops} GFLOP/s = ${row.shareOfPeak} of the peak${web ? `, wasm ${row.wasmShareOfNative} of native` : ''}`,
      );
    }
  }
  /** Time by operator, in runs of their own: profiling slows a step down. */
  const operators: Record<string, unknown> = {};
  for (const net of nets) {
    const profiled = await ours(net, cpu, true);
    await profiled.run(8);
    const list = (await profiled.session.profile()).filter((row) => row.op !== 'Loop');
    const total = list.reduce((n, row) => n + row.milliseconds, 0);
    operators[net.name] = Object.fromEntries(
      list.slice(0, 10).map((row) => [row.op, Number((row.milliseconds / total).toFixed(3))]),
    );
    if (!quiet)
      console.log(
        `${net.name}: ${Object.entries(operators[net.name] as object)
          .map(([op, share]) => `${op} ${(100 * share).toFixed(0)} %`)
          .join(', ')}`,
      );
  }
  for (const ask of torch) ask.end();
  await cpu.close();
  const [peakGflops, wasmPeakGflops] = [peaks, webPeaks].map((list) => Number(median(list).toFixed(1)));
  const summary = { peakGflops, wasmPeakGflops, rounds, rows, operators };
  if (quiet) console.log(JSON.stringify(summary));
  else console.log(`matrix product 2048³: ${peakGflops} GFLOP/s, on wasm ${wasmPeakGflops}`);
  await saveRows(
    name,
    rows.map((row) => ({
      ...row,
      peakGflops,
      wasmPeakGflops,
      operators: JSON.stringify(operators[row.name as string]),
    })),
  );
}
