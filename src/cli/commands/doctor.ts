/** `oddity doctor`: what this machine has, and whether a tiny training works on it. */
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { dataRoot } from '../../data/index.ts';
import { headlineMetrics, type MetricValues, readMetric } from '../../metrics/index.ts';
import { oddityVersion } from '../../runs/versions.ts';
import { type DeviceStatus, listDevices } from '../../runtime/index.ts';
import { act } from '../act.ts';
import { engine } from '../engine.ts';
import { addSpeech } from '../options.ts';
import { bytes, duration, fixed, table } from '../render.ts';
import { ourError } from '../terminal.ts';
import { said } from '../words.ts';
import { findDatasets } from './datasets.ts';

/** The exit code when the tiny training fails. */
const SELF_TEST_FAILED = 1;

export function addDoctor(command: Command): void {
  addSpeech(command);
  act(command, async (terminal) => {
    const root = dataRoot();
    const version = oddityVersion();
    terminal.note('Trying devices …');
    const devices = (await listDevices()).map(statusInWords);
    terminal.note('Looking for data sets …');
    const datasets = await findDatasets(root, () => {}, terminal.signal);
    terminal.note('Training a tiny model …');
    const selfTest = await tinyTraining(terminal.signal);
    const disk = await statfs(process.cwd());
    const machine = {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      memoryBytes: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
      freeMemoryBytes: freemem(),
      freeDiskBytes: disk.bavail * disk.bsize,
    };
    const value = {
      versions: { oddity: version, node: process.versions.node },
      platform: `${process.platform} ${process.arch}`,
      machine,
      devices,
      dataRoot: root,
      datasets,
      selfTest,
    };
    const facts = [
      ['oddity', version],
      ['node', `${process.versions.node} on ${value.platform}`],
      ['processor', `${machine.cpu}, ${machine.cores} cores`],
      ['memory', `${bytes(machine.freeMemoryBytes)} free of ${bytes(machine.memoryBytes)}`],
      ['disk', `${bytes(machine.freeDiskBytes)} free here`],
      ['data root', root],
    ];
    // What the library itself says stands in brackets behind our sentences; --json has it.
    const briefly = (reason = '') => reason.replace(/ Use --device .*/s, '');
    const deviceRows = devices.map((d) => [d.device, d.available ? 'ready' : 'no', briefly(d.reason)]);
    const dataRows = datasets.map((d) => [d.name, d.found ? `${d.items} items` : 'no', d.reason ?? '']);
    const parts = [
      table([], facts),
      table(['device', '', ''], deviceRows),
      table(['data set', '', ''], dataRows),
      selfTest.ok
        ? `A tiny training works: ${lead.title} ${fixed(readMetric(selfTest.metrics, lead))} on made-up images in ${duration(selfTest.seconds)} on ${selfTest.device}.`
        : `A tiny training fails: ${selfTest.reason}`,
    ];
    terminal.answer(value, parts.join('\n\n'));
    return selfTest.ok ? 0 : SELF_TEST_FAILED;
  });
}

/** A device, with the reason why it is absent in the words of the command line. */
function statusInWords({ text, reason, ...status }: DeviceStatus) {
  return { ...status, ...(reason !== undefined && { reason: said({ message: reason, text }) }) };
}

const [lead] = headlineMetrics;

type SelfTest =
  | { ok: true; device: string; metrics: MetricValues; seconds: number }
  | { ok: false; code: string; reason: string };

/** Trains the default model on made-up images in a folder that is removed afterwards. */
async function tinyTraining(signal: AbortSignal): Promise<SelfTest> {
  const { train } = await engine();
  const folder = await mkdtemp(join(tmpdir(), 'oddity-doctor-'));
  const begin = performance.now();
  try {
    const config = { width: 4, code: 4, epochs: 3, batchSize: 16 };
    const out = join(folder, 'run');
    const { device, metrics } = await train({
      model: 'autoencoder',
      data: 'synthetic',
      class: 'texture',
      config,
      out,
      maps: 0,
      signal,
    });
    return { ok: true, device, metrics, seconds: (performance.now() - begin) / 1000 };
  } catch (thrown) {
    const error = ourError(thrown);
    if (error.code === 'cancelled') throw thrown;
    return { ok: false, code: error.code, reason: said(error) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
