/**
 * The commands by name: what their list says, and where each is. A command's file is read only when it is the one that is
 * given, so that `oddity --help` need not load the library.
 */
import type { Command } from 'commander';
import { FAULTS_FOUND, SOME_FAILED } from './exit-codes.ts';

interface CommandEntry {
  readonly name: string;
  readonly usage: string;
  readonly description: string;
  /** Its arguments, options and work; `argv` is the command line, for options that depend on it. */
  load(): Promise<(command: Command, argv: readonly string[]) => void>;
}

/** In the order of the list. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'models',
    usage: '[options] [name]',
    description: 'list the models, or show the options and presets of one',
    load: async () => (await import('./commands/models.ts')).addModels,
  },
  {
    name: 'datasets',
    usage: '[options]',
    description: 'list the data sets and whether they are on this machine (reads them; downloads nothing)',
    load: async () => (await import('./commands/datasets.ts')).addDatasets,
  },
  {
    name: 'inspect',
    usage: '[options] <path>',
    description: `check a folder of images, a CSV file of their paths or a file of rows before training (exit code ${FAULTS_FOUND} when there are errors)`,
    load: async () => (await import('./commands/inspect.ts')).addInspect,
  },
  {
    name: 'clean',
    usage: '[options] <data>',
    description: 'find the odd ones among supposed normal images or rows, before training; nothing is deleted',
    load: async () => (await import('./commands/clean.ts')).addClean,
  },
  {
    name: 'try',
    usage: '[options] <data>',
    description: 'fit a few quick models to your data within a time budget, and rank them; nothing is written',
    load: async () => (await import('./commands/try.ts')).addTry,
  },
  {
    name: 'train',
    usage: '[options] [model]',
    description: 'train a model on the normal items of a data set, and test it on the held-out rest',
    load: async () => (await import('./commands/train.ts')).addTrain,
  },
  {
    name: 'sweep',
    usage: '[options] [plan.yaml]',
    description: `train data sets × models × options × seeds, ranked by planted defects (exit code ${SOME_FAILED} when some failed)`,
    load: async () => (await import('./commands/sweep.ts')).addSweep,
  },
  {
    name: 'merge',
    usage: '[options] <folders...>',
    description: 'put the shards of a sweep, a bench or predictions together, once all of them are there',
    load: async () => (await import('./commands/merge.ts')).addMerge,
  },
  {
    name: 'test',
    usage: '[options] <run>',
    description: 'score the test items of a run again',
    load: async () => (await import('./commands/test.ts')).addTest,
  },
  {
    name: 'update',
    usage: '[options] <run>',
    description: 'add normal images to a detector, or take some out, without training anew; the run stays as it is',
    load: async () => (await import('./commands/update.ts')).addUpdate,
  },
  {
    name: 'report',
    usage: '[options] <run>',
    description: 'make report.html of a finished run again: metrics, curves, types and pictures on one page',
    load: async () => (await import('./commands/report.ts')).addReport,
  },
  {
    name: 'predict',
    usage: '[options] <run> <images...>',
    description: `score image files, or the rows of tables (exit code ${SOME_FAILED} when some could not be read)`,
    load: async () => (await import('./commands/predict.ts')).addPredict,
  },
  {
    name: 'stream',
    usage: '[options] [file]',
    description: 'score the lines of a log as they come, and write its alarms as JSON, one per line',
    load: async () => (await import('./commands/stream.ts')).addStream,
  },
  {
    name: 'studio',
    usage: '[options] [folder]',
    description: 'open the app on this machine: label, train, evaluate, inspect, watch and ship without code',
    load: async () => (await import('./commands/studio.ts')).addStudio,
  },
  {
    name: 'serve',
    usage: '[options] <paths...>',
    description:
      'answer requests over HTTP: images, rows and series as they are, or tensors by the Open Inference Protocol',
    load: async () => (await import('./commands/serve.ts')).addServe,
  },
  {
    name: 'watch',
    usage: '[options] <run> [folder]',
    description: 'score images of a folder, frames of a camera or lines of a log as they come, and pass anomalies on',
    load: async () => (await import('./commands/watch.ts')).addWatch,
  },
  {
    name: 'worker',
    usage: '[options]',
    description: 'do jobs of a queue that machines share, until told to end',
    load: async () => (await import('./commands/worker.ts')).addWorker,
  },
  {
    name: 'feedback',
    usage: '[options] <run> [items...]',
    description: 'say what items are that a run judged, normal or anomalous; list that, or take it back',
    load: async () => (await import('./commands/feedback.ts')).addFeedback,
  },
  {
    name: 'threshold',
    usage: '[options] <run>',
    description: 'show the threshold of a trained model, or choose it again; two rules make a review band',
    load: async () => (await import('./commands/threshold.ts')).addThreshold,
  },
  {
    name: 'compare',
    usage: '[options] <runA> <runB>',
    description: 'compare two runs on the same test items: metrics, paired intervals, items they disagree on',
    load: async () => (await import('./commands/compare.ts')).addCompare,
  },
  {
    name: 'runs',
    usage: '[options] [folder]',
    description: 'list the runs below a folder, the newest first',
    load: async () => (await import('./commands/runs.ts')).addRuns,
  },
  {
    name: 'export',
    usage: '[options] <run>',
    description: 'write a trained model as ONNX: preprocessing, map and score inside, any batch size',
    load: async () => (await import('./commands/export.ts')).addExport,
  },
  {
    name: 'schema',
    usage: '[options] <command> [model]',
    description: 'print the options of a training, or the keys of a plan of a sweep, as JSON Schema',
    load: async () => (await import('./commands/schema.ts')).addSchema,
  },
  {
    name: 'bench',
    usage: '[options] <name>',
    description: 'measure accuracy on a benchmark, with published figures of the same protocol beside it',
    load: async () => (await import('./commands/bench.ts')).addBench,
  },
  {
    name: 'doctor',
    usage: '[options]',
    description: 'show versions, devices, data sets, memory and disk, and run a tiny training',
    load: async () => (await import('./commands/doctor.ts')).addDoctor,
  },
];
