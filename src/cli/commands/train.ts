/** `oddity train <model>`: train on the normal items of a data set, test on the rest, keep everything in a run folder. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { Cancelled, ConfigError } from '../../core/errors.ts';
import { say } from '../../core/text.ts';
import {
  type AugmentOptions,
  type ColumnKind,
  columnKinds,
  dataPath,
  readAugment,
  type Scaling,
  scalings,
} from '../../data/index.ts';
import type { MapNormalization } from '../../engine/scoring/map-normalization.ts';
import { resolveConfig } from '../../engine/task/config.ts';
import type { RegionOption } from '../../engine/task/view-options.ts';
import { findModel } from '../../models/index.ts';
import { readRun, runFiles } from '../../runs/folder.ts';
import type { Device } from '../../runtime/runtime.ts';
import { act } from '../act.ts';
import { type ConfigFile, type ReadConfigFile, readConfigFile } from '../config-file.ts';
import { engine, type TrainOptions } from '../engine.ts';
import {
  addDevice,
  addModelFlags,
  addSpeech,
  between,
  collectSetting,
  commaList,
  device,
  imageChannels,
  imageSize,
  integer,
  modelOf,
  modelSettings,
  number,
  region,
  share,
  tileSize,
} from '../options.ts';
import { reportText } from '../report.ts';
import type { ModelOption } from '../schema.ts';
import type { SpeechOptions } from '../terminal.ts';
import { quoted } from '../words.ts';

interface Options extends SpeechOptions {
  readonly data?: string;
  readonly protocol?: string;
  readonly class?: string;
  readonly size?: [number, number];
  readonly channels?: 1 | 3;
  readonly normal?: string[];
  readonly abnormal?: string[];
  readonly mask?: string[];
  readonly maxPixels?: number;
  readonly labelled?: number;
  readonly contamination?: number;
  readonly trainLimit?: number;
  readonly testLimit?: number;
  readonly heldOut?: string[];
  readonly normalizeMap?: MapNormalization;
  readonly augment?: AugmentOptions;
  readonly tile?: [number, number];
  readonly overlap?: number;
  readonly region?: RegionOption;
  readonly acceptLicence?: boolean;
  readonly label?: string;
  readonly column?: Record<string, string>;
  readonly scaling?: Scaling;
  readonly preset?: string;
  readonly set?: Record<string, string>;
  readonly config?: string;
  readonly seed?: number;
  readonly device?: Device | 'auto';
  readonly out?: string;
  readonly dataRoot?: string;
  readonly download: boolean;
  readonly fpr?: number;
  readonly validation?: number;
  readonly threads?: number;
  readonly maps?: number;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly profile?: boolean;
}

export function addTrain(program: Command, argv: readonly string[]): void {
  const command = program
    .command('train')
    .description('train a model on the normal items of a data set, and test it on the held-out rest')
    .argument('[model]', 'a model (see: oddity models); its options are listed by: oddity train <model> --help')
    .optionsGroup('Task:')
    .option(
      '--data <name|path>',
      'a data set (see: oddity datasets), a folder of images, a CSV file that lists them, or a file of rows (CSV, Parquet, ARFF, .data, .mat, .npz)',
    )
    .option(
      '--size <n|HxW>',
      'resize image files to this height and width (default: what suits the model, often 128x128)',
      imageSize,
    )
    .option('--channels <n>', 'read image files as grey (1) or colour (3) (default: 1 if all are grey)', imageChannels)
    .option('--region <x,y,w,h|file>', 'only this part of the images counts: pixels at --size, or a mask', region)
    .option('--tile <n|HxW>', 'train on tiles of this size, score whole images tile by tile', tileSize)
    .option(
      '--overlap <share>',
      'share of a tile that its neighbour has too, at least (default: 0.25)',
      number('--overlap'),
    )
    .option(
      '--augment <list>',
      'random variants of training images: flip, flip-vertical, turns, rotate=10, shift=0.05, scale=0.1, crop=0.8, brightness=0.1, contrast=0.1, noise=0.02',
      readAugment,
    )
    .option('--normal <names>', 'folders of normal images (default: good, ok, normal, …)', commaList)
    .option('--abnormal <names>', 'folders of anomalous images (default: all others)', commaList)
    .option('--mask <names>', 'folders of masks (default: ground_truth, mask, …)', commaList)
    .option('--max-pixels <n>', 'refuse image files with more pixels (default: 100000000)', integer('--max-pixels', 1))
    .option(
      '--protocol <name>',
      'what is normal: see oddity datasets (default: that of the data set; folder for files, else one-class)',
    )
    .option('--class <name>', 'the class that the protocol is about, by name or number; files need none')
    .option('--labelled <share>', 'share of the anomalies to train on, for labelled and imbalance (default: 1)', share)
    .option(
      '--held-out <classes>',
      'classes of anomalies that training must not see, with --protocol imbalance (default: half, by the seed)',
      commaList,
    )
    .option(
      '--contamination <share>',
      'share of the training part that is anomalies taken for normal (default: 0)',
      Number,
    )
    .option('--train-limit <n>', 'train on so many normal items at most', integer('--train-limit', 1))
    .option(
      '--test-limit <n>',
      'test on so many items at most, the share of anomalies kept',
      integer('--test-limit', 2),
    )
    .option(
      '--label <column>',
      'the column of labels in a file of rows (default: one named label or target; y of .mat and .npz)',
    )
    .option(
      '--column <name=kind>',
      `what a column of a file of rows is: ${columnKinds.join(', ')}; may be repeated`,
      collectSetting,
    )
    .option(
      '--scaling <name>',
      `what is done to the numbers of a table, by the training part: ${scalings.join(', ')} (default: min-max)`,
    )
    .option('--accept-licence', 'accept the licence of a data set that asks for it')
    .option('--seed <n>', 'seed of the split, the weights and the order (default: 1)', integer('--seed', 0))
    .option('--fpr <share>', 'wanted share of false alarms on normal items (default: 0.01)', between('--fpr', 0, 1))
    .option('--validation <share>', 'share of the normals held out for the threshold', between('--validation', 0, 0.9))
    .option('--data-root <folder>', 'where data sets lie (default: ODDITY_DATA, else the cache of the user)')
    .option('--no-download', 'fail when the data set is not on this machine')
    .optionsGroup('Model:')
    .option('--preset <name>', 'a named set of options (default: that for the data set, where there is one)')
    .option('--set <key=value>', 'set an option of the model; may be repeated', collectSetting)
    .option('--normalize-map <how>', 'none, or zscore: maps in deviations from held-out normals (default: none)')
    .option('--config <file.yaml>', 'read the options of this command from a file; flags win over it')
    .optionsGroup('Run:')
    .option('--out <folder>', 'the run folder (default: one below runs/)')
    .option('--resume', 'go on with the run in --out')
    .option('--overwrite', 'replace the run in --out');
  addDevice(command)
    .option('--threads <n>', 'threads of the device (default: all cores)', integer('--threads', 1))
    .option('--maps <n>', 'anomaly maps to keep as PNG', integer('--maps', 0))
    .option('--profile', 'print the time by operator');
  addSpeech(command);
  const named = modelOf(argv);
  const flags = named ? addModelFlags(command, named) : [];
  act(command, async (terminal, options: Options, model?: string) => {
    const train = await trainOptions(options, flags, model);
    try {
      const report = await (await engine()).train({ ...train, onEvent: terminal.listener, signal: terminal.signal });
      terminal.answer(report, reportText(report, runFiles(report.run).report));
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error;
      throw new Cancelled(
        train.out !== undefined && (await isKept(train.out))
          ? `Stopped. The run is kept in ${train.out}; go on with:\n  ${resumeCommand(argv, train.out)}`
          : 'Stopped before training began; nothing is left behind.',
      );
    }
  });
}

/** True when a folder holds a run that was stopped and can go on. */
async function isKept(folder: string): Promise<boolean> {
  const run = await readRun(folder).catch(() => undefined);
  return run?.status === 'cancelled';
}

/** What is handed to the engine: flags over the file over defaults. */
async function trainOptions(options: Options, flags: readonly ModelOption[], named?: string) {
  const file: ReadConfigFile | undefined = options.config ? await readConfigFile(options.config) : undefined;
  const values = file?.values ?? {};
  const model = named ?? values.model;
  if (!model)
    throw new ConfigError('missing-model', 'oddity train needs a model: oddity train <model>. See: oddity models');
  const data = options.data ?? values.data;
  if (!data)
    throw new ConfigError('missing-data-set', 'oddity train needs data: --data <name or path>. See: oddity datasets');
  const found = findModel(model);
  const preset = options.preset ?? values.preset;
  if (file && values.config) checkFileOptions(found.name, preset, values.config, file, options.config!);
  const own = modelSettings(found, flags, { ...options }, options.set ?? {});
  const seed = options.seed ?? values.seed;
  const about = options.class ?? values.class;
  const out = options.out ?? values.out;
  const path = dataPath(data);
  return {
    model: found.name,
    data,
    preset,
    protocol: options.protocol ?? values.protocol,
    class: about,
    size: options.size ?? (values.size === undefined ? undefined : imageSize(values.size)),
    channels: options.channels ?? (values.channels === undefined ? undefined : imageChannels(String(values.channels))),
    maxPixels: options.maxPixels,
    folderNames: folderNames(options),
    labelledFraction: options.labelled ?? values.labelled,
    contamination: options.contamination ?? values.contamination,
    trainLimit: options.trainLimit ?? values['train-limit'],
    testLimit: options.testLimit ?? values['test-limit'],
    heldOut: options.heldOut ?? (values['held-out'] === undefined ? undefined : commaList(String(values['held-out']))),
    mapNormalization: options.normalizeMap ?? (values['normalize-map'] as MapNormalization | undefined),
    ...viewOf(options, values),
    acceptLicence: options.acceptLicence,
    columns: columnsOf(options.label ?? values.label, { ...values.columns, ...options.column }),
    scaling: options.scaling ?? (values.scaling as Scaling | undefined),
    config: { ...values.config, ...own },
    seed,
    device: options.device ?? (values.device === undefined ? undefined : device(values.device)),
    // Named here, so that it is known when Ctrl-C comes; to resume, it must be told.
    out: out ?? (options.resume ? undefined : newRunFolder([found.name, path ? basename(path) : data, about])),
    dataRoot: options.dataRoot,
    download: options.download,
    falseAlarmRate: options.fpr ?? values.fpr,
    validationFraction: options.validation,
    resume: options.resume,
    overwrite: options.overwrite,
    debug: options.debug,
    profile: options.profile,
    threads: options.threads ?? values.threads,
    maps: options.maps ?? values.maps,
  } satisfies TrainOptions;
}

/** What the model sees, and what happens to the images on the way. */
function viewOf(options: Options, file: ConfigFile): Pick<TrainOptions, 'augment' | 'tiles' | 'region'> {
  const tile = options.tile ?? (file.tile === undefined ? undefined : tileSize(String(file.tile)));
  const overlap = options.overlap ?? file.overlap;
  if (overlap !== undefined && !tile) {
    throw new ConfigError(
      'tiles',
      'An overlap is of tiles, and there are none. Give --tile too, or leave --overlap out.',
    );
  }
  return {
    augment: options.augment ?? (file.augment === undefined ? undefined : readAugment(file.augment)),
    region: options.region ?? (file.region === undefined ? undefined : region(file.region)),
    ...(tile && { tiles: { height: tile[0], width: tile[1], ...(overlap !== undefined && { overlap }) } }),
  };
}

/** The names of folders that were given; undefined when none was. */
function folderNames({ normal, abnormal, mask }: Options) {
  return normal || abnormal || mask ? { normal, abnormal, mask } : undefined;
}

/** What columns are said to be; undefined where nothing is. */
function columnsOf(
  label: string | undefined,
  columns: Record<string, unknown>,
): Record<string, ColumnKind> | undefined {
  const all = { ...columns, ...(label !== undefined && { [label]: 'label' }) } as Record<string, ColumnKind>;
  return Object.keys(all).length > 0 ? all : undefined;
}

/** Refuses an option of the file by its line. */
function checkFileOptions(
  model: string,
  preset: string | undefined,
  config: Record<string, unknown>,
  { lines }: ReadConfigFile,
  path: string,
): void {
  try {
    resolveConfig(findModel(model), { preset, config });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const key = error.facts?.option.join('.');
    const line = key && lines.get(key);
    throw line ? new ConfigError(error.code, say`${error.text} (${path}:${line})`, error.facts) : error;
  }
}

/** A folder below `runs/` that is not there yet, named after the task and the time. */
function newRunFolder(words: readonly (string | undefined)[]): string {
  const time = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  const name = [...words, time].filter((word) => word !== undefined).join('-');
  const base = join('runs', name.toLowerCase().replace(/[^\p{L}\p{N}-]+/gu, '-'));
  for (let i = 1; ; i++) {
    const folder = i === 1 ? base : `${base}-${i}`;
    if (!existsSync(folder)) return folder;
  }
}

/** The command line that goes on with a run. */
function resumeCommand(argv: readonly string[], run: string): string {
  const kept: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i];
    if (word === '--out') i++;
    else if (word !== '--resume' && word !== '--overwrite' && !word.startsWith('--out=')) kept.push(word);
  }
  return ['oddity', ...kept, '--out', run, '--resume'].map(quoted).join(' ');
}
