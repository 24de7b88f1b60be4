/**
 * The options of a run: one schema, from which follow the flags of the command line and their help, the keys of a
 * configuration file, what `run.json` keeps, the check of a resumed run, and the JSON Schema. A new option is one entry,
 * here or beside the code that obeys it (`splitOptions`). A table, read whole: long because every option says three things,
 * to programs, to the command line and to a form.
 */
import * as z from 'zod';
import { alarmRule } from '../core/alarm-rule.ts';
import type { Listener } from '../core/events.ts';
import {
  type FlagFacts,
  type OptionFacts,
  optionFacts,
  readList,
  readNumber,
  readPair,
  readSides,
} from '../core/schema.ts';
import { option, say } from '../core/text.ts';
import {
  columnKinds,
  gapPolicies,
  readAugment,
  type Source,
  type SplitOptions,
  scalings,
  splitOptions,
} from '../data/index.ts';
import { mapNormalizations } from '../engine/scoring/map-normalization.ts';
import type { RegionOption } from '../engine/task/view-options.ts';
import type { Metric } from '../metrics/index.ts';
import type { AnyModel, ConfigOf, ModelName } from '../models/index.ts';
import { deviceNames } from '../runtime/runtime.ts';
import { alarmFlags } from './alarm-flags.ts';
import { choiceSchema } from './choice-schema.ts';

const names = z.union([z.string(), z.array(z.string())]).readonly();
const atLeastOne = z.int().min(1);
const fact = (
  group: OptionFacts['group'],
  flags: FlagFacts | readonly FlagFacts[],
  more: Partial<OptionFacts> = {},
): OptionFacts => ({ group, flags: Array.isArray(flags) ? flags : [flags as FlagFacts], ...more });
const kept = { recorded: true } as const;
const keptAndSame = { recorded: true, mustMatch: true } as const;

/** The options of a run, in the order in which help shows them. */
export const runOptions = z.strictObject({
  /** Name of a data set, such as `mnist`; path of a folder of images, a CSV file that lists them or a file of rows; or a Source. */
  data: z
    .custom<string | Source>(
      (value) => typeof value === 'string' || (typeof value === 'object' && value !== null && 'read' in value),
    )
    .describe('Name of a data set, or path of a folder of images, of a list of them or of a file of rows.')
    .register(
      optionFacts,
      fact('Task', {
        name: 'data',
        value: '<name|path>',
        help: 'a data set by name, a folder of images, a CSV file that lists them, or a file of rows (CSV, Parquet, ARFF, .data, .mat, .npz)',
      }),
    ),
  /** Height and width that every image file is resized to, without keeping its proportions; default what suits the model, else 128 by 128. */
  size: z
    .union([z.tuple([z.int(), z.int()]), z.strictObject({ atMost: z.int() })])
    .readonly()
    .optional()
    .describe('Height and width that image files are resized to; default what suits the model.')
    .register(
      optionFacts,
      fact('Task', {
        name: 'size',
        value: '<n|HxW>',
        help: 'resize image files to this height and width (default: what suits the model, often 128x128)',
        read: readSides,
      }),
    ),
  /** Channels of image files: 1 grey, 3 colour; default 1 when every file is grey. */
  channels: z
    .union([z.literal(1), z.literal(3)])
    .optional()
    .describe('Channels of image files: 1 grey, 3 colour; default 1 when every file is grey.')
    .register(
      optionFacts,
      fact('Task', {
        name: 'channels',
        value: '<n>',
        help: 'read image files as grey (1) or colour (3) (default: 1 if all are grey)',
        read: readNumber,
      }),
    ),
  /** Values of images with more than 8 bits that become black and white; default what the training images use. */
  valueRange: z
    .tuple([z.number(), z.number()])
    .readonly()
    .optional()
    .describe('Values of images with more than 8 bits that become black and white; default what training images use.')
    .register(
      optionFacts,
      fact(
        'Task',
        {
          name: 'value-range',
          value: '<low,high>',
          help: 'values of 16-bit and float images that become black and white (default: what the training images use)',
          read: readNumbers,
        },
        keptAndSame,
      ),
    ),
  /** The part of the images that counts: a rectangle in pixels as they are read, or the path of an image file that is white inside. */
  region: z
    .union([
      z.string(),
      z.strictObject({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }).readonly(),
    ])
    .optional()
    .describe('The part of the images that counts: a rectangle in pixels, or the path of a mask that is white inside.')
    .register(
      optionFacts,
      fact(
        'Task',
        {
          name: 'region',
          value: '<x,y,w,h|file>',
          help: say`only this part of the images counts: pixels at ${option('size')}, or a mask`,
          read: readRegionText,
        },
        keptAndSame,
      ),
    ),
  /** Train on tiles of the images, and score whole images tile by tile: for images that are larger than what matters. Pixels; overlap 0 … 0.9, default 0.25. */
  tiles: z
    .strictObject({ height: atLeastOne, width: atLeastOne, overlap: z.number().min(0).max(0.9).optional() })
    .readonly()
    .optional()
    .describe('Train on tiles of this size, and score whole images tile by tile; neighbours share "overlap" of a side.')
    .register(
      optionFacts,
      fact(
        'Task',
        [
          {
            name: 'tile',
            value: '<n|HxW>',
            help: 'train on tiles of this size, score whole images tile by tile',
            read: readTiles,
          },
          {
            name: 'overlap',
            value: '<share>',
            help: 'share of a tile that its neighbour has too, at least (default: 0.25)',
            needs: 'tile',
            read: (text, before) => ({ ...(before as object | undefined), overlap: readNumber(text) }),
          },
        ],
        keptAndSame,
      ),
    ),
  /** What happens to each training image at random; models that train by gradient only, and never while scoring. */
  augment: z
    .strictObject({
      /** Flip left and right in half of the cases. */
      flipHorizontal: z.boolean().optional(),
      /** Flip top and bottom in half of the cases. */
      flipVertical: z.boolean().optional(),
      /** Turn by 0 to 3 right angles; images that are not square by 0 or 2. */
      turns: z.boolean().optional(),
      /** Turn by at most this many degrees either way, 0 … 180. */
      degrees: z.number().optional(),
      /** Shift by at most this share of the side either way, 0 … 0.5. */
      shift: z.number().optional(),
      /** Enlarge or shrink by at most this share, 0 … 0.9. */
      scale: z.number().optional(),
      /** Cut out a rectangle of at least this share of each side and enlarge it to the whole, above 0 … 1. */
      crop: z.number().optional(),
      /** Brighten or darken by at most this much of white, 0 … 1. */
      brightness: z.number().optional(),
      /** Change the contrast by at most this share, 0 … 1. */
      contrast: z.number().optional(),
      /** Standard deviation of noise, of white = 1, 0 … 1. */
      noise: z.number().optional(),
    })
    .readonly()
    .optional()
    .describe('Random variants of training images, for models that train by gradient.')
    .register(
      optionFacts,
      fact(
        'Task',
        {
          name: 'augment',
          value: '<list>',
          help: 'random variants of training images: flip, flip-vertical, turns, rotate=10, shift=0.05, scale=0.1, crop=0.8, brightness=0.1, contrast=0.1, noise=0.02',
          read: readAugment,
        },
        keptAndSame,
      ),
    ),
  /** Names of the folders of normal and anomalous images and of masks, where they are not the usual ones; `normal` of a file of rows: its normal labels. */
  folderNames: z
    .strictObject({ normal: names.optional(), abnormal: names.optional(), mask: names.optional() })
    .readonly()
    .optional()
    .describe('Names of the folders of normal and anomalous images and of masks, where they are not the usual ones.')
    .register(
      optionFacts,
      fact('Task', [
        {
          name: 'normal',
          value: '<names>',
          help: 'folders of normal images (default: good, ok, normal, …); in a file of rows, the labels of normal rows',
          read: into('normal', readList),
        },
        {
          name: 'abnormal',
          value: '<names>',
          help: 'folders of anomalous images (default: all others)',
          read: into('abnormal', readList),
        },
        {
          name: 'mask',
          value: '<names>',
          help: 'folders of masks (default: ground_truth, mask, …)',
          read: into('mask', readList),
        },
      ]),
    ),
  /** Pixels that an image file may have; default 100 million. */
  maxPixels: atLeastOne
    .optional()
    .describe('Pixels that an image file may have; default 100 million.')
    .register(
      optionFacts,
      fact('Task', {
        name: 'max-pixels',
        value: '<n>',
        help: 'refuse image files with more pixels (default: 100000000)',
        read: readNumber,
      }),
    ),
  /** What is normal and what is not; default `folder` for files, `one-class` for data sets of classes. */
  protocol: z
    .string()
    .optional()
    .describe('What is normal; default that of the data set, folder for files, else one-class.')
    .register(
      optionFacts,
      fact('Task', {
        name: 'protocol',
        value: '<name>',
        help: 'what is normal (default: that of the data set; folder for files, else one-class)',
      }),
    ),
  /** Name or number of the class that the protocol is about; files need none. */
  class: z
    .union([z.string(), z.number()])
    .optional()
    .describe('The class that the protocol is about, by name or number.')
    .register(
      optionFacts,
      fact('Task', {
        name: 'class',
        value: '<name>',
        help: 'the class that the protocol is about, by name or number; files need none',
      }),
    ),
  /** Share of the anomalies for training whose labels are used, under `labelled` and `imbalance`, (0, 1]; default 1. */
  labelledFraction: z
    .number()
    .positive()
    .max(1)
    .optional()
    .describe('Share of the anomalies for training whose labels are used, under labelled and imbalance; default 1.')
    .register(
      optionFacts,
      fact(
        'Task',
        {
          name: 'labelled',
          value: '<share>',
          help: 'share of the anomalies to train on, for labelled and imbalance (default: 1)',
          read: readNumber,
        },
        kept,
      ),
    ),
  /** Classes of anomalies that training must not see, under the protocol `imbalance`; default half, by the seed. */
  heldOut: z
    .array(z.union([z.string(), z.number()]))
    .readonly()
    .optional()
    .describe('Classes of anomalies that training must not see, under imbalance; default half, by the seed.')
    .register(
      optionFacts,
      fact(
        'Task',
        {
          name: 'held-out',
          value: '<classes>',
          help: say`classes of anomalies that training must not see, with ${option('protocol', 'imbalance')} (default: half, by the seed)`,
          read: readList,
        },
        kept,
      ),
    ),
  ...splitOptions,
  /** What columns of a file of rows are, by name; the others follow from their cells. */
  columns: z
    .record(z.string(), z.enum(columnKinds))
    .readonly()
    .optional()
    .describe('What columns of a file of rows are, by name; the others follow from their cells.')
    .register(
      optionFacts,
      fact(
        'Task',
        [
          {
            name: 'column',
            value: '<name=kind>',
            help: `what a column of a file of rows is: ${columnKinds.join(', ')}; may be repeated`,
            repeats: true,
            formerly: 'columns',
            read: (text, before) => readPair(text, before, 'columns', ['amount', 'numeric']),
          },
          {
            name: 'label',
            value: '<column>',
            help: 'the column of labels in a file of rows (default: by its name and values; y of .mat and .npz)',
            read: (text, before) => ({ ...(before as object | undefined), [text]: 'label' }),
          },
        ],
        kept,
      ),
    ),
  /** Further texts that mean a missing value in files of rows; a number among them stands for that value. */
  missing: z
    .array(z.string())
    .readonly()
    .optional()
    .describe('Further texts that mean a missing value in files of rows; a number among them stands for that value.')
    .register(
      optionFacts,
      fact(
        'Task',
        {
          name: 'missing',
          value: '<words>',
          help: 'further texts that mean a missing value in a file of rows, such as <5,-999 (NA, -, ? and the like always do)',
          read: readList,
        },
        kept,
      ),
    ),
  /** The decimal mark of files of rows; default by what their cells show. */
  decimal: z
    .enum(['.', ','])
    .optional()
    .describe('The decimal mark of files of rows; default by what their cells show.')
    .register(
      optionFacts,
      fact(
        'Task',
        {
          name: 'decimal',
          value: '<mark>',
          help: 'decimal mark of a file of rows: . or , (default: what its cells show)',
        },
        kept,
      ),
    ),
  /**
   * What the rows of a file are: the steps of a series, or rows of a table; default series where a column of times goes on in even
   * steps. `clip` takes folders of images for the frames of clips.
   */
  kind: z
    .enum(['series', 'table', 'clip'])
    .optional()
    .describe(
      'What the rows of a file are: steps of a series, or rows of a table; default by its column of times. "clip": folders of images are clips.',
    )
    .register(
      optionFacts,
      fact(
        'Task',
        {
          name: 'kind',
          value: '<kind>',
          help: 'what the rows of a file are: series or table (default: series where times go on in even steps); clip: folders of images are clips',
        },
        kept,
      ),
    ),
  /** Steps of the windows through which steps of series, or frames of clips, are seen, at least 2; default by autocorrelation, of clips what the model asks for. */
  window: z
    .int()
    .min(2)
    .optional()
    .describe(
      'Steps of the windows through which steps of series, or frames of clips, are seen; default by autocorrelation, of clips what the model asks for.',
    )
    .register(
      optionFacts,
      fact(
        'Task',
        {
          name: 'window',
          value: '<steps>',
          help: 'steps of the windows of a series or clip (default: its period by autocorrelation; of clips as the model asks)',
          read: readNumber,
        },
        kept,
      ),
    ),
  /** What becomes of missing values and steps of a series; default `interpolate`. */
  gaps: z
    .enum(gapPolicies)
    .optional()
    .describe('What becomes of missing values and steps of a series; default interpolate.')
    .register(
      optionFacts,
      fact(
        'Task',
        {
          name: 'gaps',
          value: '<policy>',
          help: `missing values and steps of a series: ${gapPolicies.join(', ')} (default: interpolate)`,
        },
        kept,
      ),
    ),
  /** Length of a step in milliseconds, to which series are brought; default the steps that they have. */
  step: z
    .number()
    .positive()
    .optional()
    .describe('Length of a step in milliseconds, to which series are brought; default the steps that they have.')
    .register(
      optionFacts,
      fact(
        'Task',
        {
          name: 'step',
          value: '<time>',
          help: 'bring series to steps of this length: 500ms, 10s, 5m, 1h, 1d (default: the steps that they have)',
          read: readDuration,
        },
        kept,
      ),
    ),
  /** Share of each series that is for training where the data do not say, (0, 1]; default half where there are labels, else 0.8. */
  trainShare: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe(
      'Share of each series that is for training where the data do not say; default half with labels, else 0.8.',
    )
    .register(
      optionFacts,
      fact(
        'Task',
        {
          name: 'train-share',
          value: '<share>',
          help: 'share of each series that is for training, from its begin (default: half with labels, else 0.8)',
          read: readNumber,
        },
        kept,
      ),
    ),
  /**
   * Intervals of series that neither train nor are judged, such as maintenance: `2014-01-01T00:00/2014-01-02`, or CSV files of begins
   * and ends. Of images and rows: CSV files with a column `id`, as `clean` writes them, of items that do not train.
   */
  exclude: z
    .array(z.string())
    .readonly()
    .optional()
    .describe(
      'Intervals of series that neither train nor are judged: two times with a slash between, or CSV files; CSV files of images or rows that do not train.',
    )
    .register(
      optionFacts,
      fact(
        'Task',
        {
          name: 'exclude',
          value: '<from/to|file>',
          help: 'leave out an interval of series, such as 2014-01-01T00:00/2014-01-02, or those of a CSV file; do not train on the images or rows of a CSV file (see oddity clean); may be repeated',
          repeats: true,
          read: (text, before) => [...((before as string[] | undefined) ?? []), text],
        },
        keptAndSame,
      ),
    ),
  /** How steps of series at or above the threshold become alarms; default: those at most a window apart are one. */
  alarms: alarmRule
    .readonly()
    .optional()
    .describe('How steps of series become alarms; default those at most a window apart are one.')
    .register(
      optionFacts,
      fact(
        'Task',
        alarmFlags.map(({ name, field, value, help, otherwise }) => ({
          name,
          value,
          help: `${help} (default: ${otherwise})`,
          read: into(field, readNumber),
        })),
        kept,
      ),
    ),
  /** What is done to the numbers of a table, by the training part; default `standard` for models that learn in one pass, else `min-max`. */
  scaling: z
    .enum(scalings)
    .optional()
    .describe(
      'What is done to the numbers of a table or series, by the training part; default standard for models that learn in one pass and for series, else min-max.',
    )
    .register(
      optionFacts,
      fact(
        'Task',
        {
          name: 'scaling',
          value: '<name>',
          help: `what is done to the numbers of a table, by the training part: ${scalings.join(', ')} (default: standard for models that learn in one pass and for series, else min-max)`,
        },
        kept,
      ),
    ),
  /** Accept the licence of a data set that asks for it. */
  acceptLicence: z
    .boolean()
    .optional()
    .describe('Accept the licence of a data set that asks for it.')
    .register(
      optionFacts,
      fact('Task', { name: 'accept-licence', help: 'accept the licence of a data set that asks for it' }),
    ),
  /** Decides the split, the initial values, the order of the batches and every draw; default 1. */
  seed: z
    .int()
    .min(0)
    .optional()
    .describe('Decides the split, the initial values, the order of the batches and every draw; default 1.')
    .register(
      optionFacts,
      fact('Task', {
        name: 'seed',
        value: '<n>',
        help: 'seed of the split, the weights and the order (default: 1)',
        read: readNumber,
      }),
    ),
  /** Wanted share of normal items above the threshold, the false-positive rate, (0, 1); default 0.01. */
  falseAlarmRate: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe('Wanted false-positive rate: share of normal items above the threshold; default 0.01.')
    .register(
      optionFacts,
      fact('Task', {
        name: 'fpr',
        value: '<share>',
        help: 'wanted false-positive rate (false alarms) on normal items (default: 0.01)',
        read: readNumber,
      }),
    ),
  /** Of series, in place of `falseAlarmRate`: the threshold that makes so many false alarms a day, or in 1,000 steps, after the rule of alarms. */
  alarmRate: z
    .strictObject({ perDay: z.number().gt(0).optional(), per1000: z.number().gt(0).optional() })
    .readonly()
    .optional()
    .describe('Wanted false alarms of series a day, or in 1,000 steps, after the rule of alarms.')
    .register(
      optionFacts,
      fact(
        'Task',
        [
          {
            name: 'alarms-per-day',
            value: '<n>',
            help: 'wanted false alarms of series a day, after the rule of alarms; needs times',
            read: into('perDay', readNumber),
          },
          {
            name: 'alarms-per-1000',
            value: '<n>',
            help: 'wanted false alarms of series in 1,000 steps, after the rule of alarms',
            read: into('per1000', readNumber),
          },
        ],
        kept,
      ),
    ),
  /**
   * Where few normals are held out, so many further detectors score the others for the threshold, each fitted without those
   * that it scores; 0 for none. Default: up to 10 where a model is fitted quickly.
   */
  folds: z
    .int()
    .min(0)
    .max(1000)
    .optional()
    .describe(
      'Further fits that let training normals count for the threshold where few are held out; 0 for none; default up to 10 where fitting is quick.',
    )
    .register(
      optionFacts,
      fact(
        'Task',
        {
          name: 'folds',
          value: '<n>',
          help: 'fit n times more, each time without some normals, so that all count for the threshold (default: up to 10 where few are held out and fitting is quick; 0: never)',
          read: readNumber,
        },
        kept,
      ),
    ),
  /** Where data sets lie; default `ODDITY_DATA`, else the user's cache. */
  dataRoot: z
    .string()
    .optional()
    .describe("Where data sets lie; default ODDITY_DATA, else the user's cache.")
    .register(
      optionFacts,
      fact('Task', {
        name: 'data-root',
        value: '<folder>',
        help: 'where data sets lie (default: ODDITY_DATA, else the cache of the user)',
      }),
    ),
  /** Fetch data that is not on this machine; default true. */
  download: z
    .boolean()
    .optional()
    .describe('Fetch data that is not on this machine; default true.')
    .register(
      optionFacts,
      fact('Task', { name: 'no-download', help: 'fail when the data set is not on this machine' }),
    ),
  /** One of the model's named sets of options; default the one for the data set, where the model has one. */
  preset: z
    .string()
    .optional()
    .describe("One of the model's named sets of options.")
    .register(
      optionFacts,
      fact(
        'Model',
        {
          name: 'preset',
          value: '<name>',
          help: 'a named set of options (default: that for the data set, where there is one)',
        },
        kept,
      ),
    ),
  /** Options of the model. */
  config: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Options of the model.')
    .register(
      optionFacts,
      fact('Model', {
        name: 'set',
        value: '<key=value>',
        help: 'set an option of the model; may be repeated',
        repeats: true,
        read: (text, before) => readPair(text, before, 'config', ['epochs', 5]),
      }),
    ),
  /**
   * `zscore` gives maps in deviations from each pixel's mean on held-out normals, half of which are used up by it: the
   * threshold comes from the other half. Default `none`.
   */
  mapNormalization: z
    .enum(mapNormalizations)
    .optional()
    .describe('zscore: maps in standard deviations from held-out normals; default none.')
    .register(
      optionFacts,
      fact(
        'Model',
        {
          name: 'normalize-map',
          value: '<how>',
          help: 'none, or zscore: maps in standard deviations from held-out normals (default: none)',
        },
        keptAndSame,
      ),
    ),
  /** The run's folder; default one below `runs/`, named after the model, the data and the time. */
  out: z
    .string()
    .optional()
    .describe('The folder of the run; default one below runs/.')
    .register(
      optionFacts,
      fact('Run', { name: 'out', value: '<folder>', help: 'the run folder (default: one below runs/)' }),
    ),
  /** Resume the run in `out` that was cancelled or killed. */
  resume: z
    .boolean()
    .optional()
    .describe('Resume the run in "out".')
    .register(optionFacts, fact('Run', { name: 'resume', help: say`resume the run in ${option('out')}` })),
  /** Replace the run in `out`. */
  overwrite: z
    .boolean()
    .optional()
    .describe('Replace the run in "out".')
    .register(optionFacts, fact('Run', { name: 'overwrite', help: say`replace the run in ${option('out')}` })),
  /** Where graphs run; default `auto`, the one that is measured to be fastest. */
  device: z
    .enum(['auto', ...deviceNames])
    .optional()
    .describe('Where graphs run; default auto.')
    .register(
      optionFacts,
      fact('Run', { name: 'device', value: '<name>', help: `auto, ${deviceNames.join(', ')} (default: auto)` }),
    ),
  /** Threads inside one operator; default all cores. */
  threads: atLeastOne
    .optional()
    .describe('Threads inside one operator; default all cores.')
    .register(
      optionFacts,
      fact(
        'Run',
        { name: 'threads', value: '<n>', help: 'threads of the device (default: all cores)', read: readNumber },
        kept,
      ),
    ),
  /** How many example maps to write; default 8. */
  maps: z
    .int()
    .min(0)
    .optional()
    .describe('How many example maps to write; default 8.')
    .register(
      optionFacts,
      fact('Run', { name: 'maps', value: '<n>', help: 'anomaly maps to keep as PNG (default: 8)', read: readNumber }),
    ),
  /** Collect time by operator. */
  profile: z
    .boolean()
    .optional()
    .describe('Collect time by operator.')
    .register(optionFacts, fact('Run', { name: 'profile', help: 'print the time by operator' })),
  /** 1 timings, 2 and graphs as text, 3 and ONNX files, in the run's `debug` folder. */
  debug: z
    .union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)])
    .optional()
    .describe('1 timings, 2 and graphs as text, 3 and ONNX files.')
    .register(optionFacts, fact('Run', [])),
  /** Normal images to add to the training part after the split, as paths, and training items to take out, as ids. */
  changes: z
    .strictObject({ added: z.array(z.string()).readonly(), removed: z.array(z.string()).readonly() })
    .readonly()
    .optional()
    .describe('Normal images that join the training part after the split, as paths, and items that leave it, as ids.')
    .register(optionFacts, fact('Run', [], kept)),
  /** How `auto` chose the model, as `chooseModel` gives it; kept in `run.json` and told in the report. */
  choice: choiceSchema
    .readonly()
    .optional()
    .describe('How the model was chosen where none was named.')
    .register(optionFacts, fact('Run', [], kept)),
});

/** The options of a run, without the model. */
export type RunOptions = z.input<typeof runOptions>;
export type RunOption = keyof RunOptions;

/** What `train` takes; options of the model are typed by its name or value. */
export type TrainOptions<M extends ModelName | AnyModel = ModelName | AnyModel> = Omit<
  RunOptions,
  'config' | 'region'
> & {
  /** Name of a model, such as `autoencoder`, or a model of your own made by `defineModel`. */
  model: M;
  /** Options of the model. */
  config?: ConfigOf<M>;
  /** The part of the images that counts: a rectangle in pixels as they are read, or the path of an image file that is white inside. */
  region?: RegionOption;
  /** Your own metrics, beside the others; see `defineMetric`. */
  metrics?: readonly Metric[];
  /** Hears progress, metrics, logs and warnings. */
  onEvent?: Listener;
  /** Stops the run within a second and leaves a checkpoint. */
  signal?: AbortSignal;
};

/** What `train` takes where it is to choose the model: `auto`, or none. */
export type AutoTrainOptions = Omit<TrainOptions, 'model' | 'config'> & Pick<RunOptions, 'config'> & { model?: 'auto' };

/** Facts of every option, by its name. */
export const factsOf: ReadonlyMap<RunOption, OptionFacts> = new Map(
  Object.entries(runOptions.shape).map(([name, schema]) => [name as RunOption, optionFacts.get(schema as z.ZodType)!]),
);

/** Options that `run.json` keeps as they were given. */
export type RecordedOptions = Readonly<
  Pick<
    RunOptions,
    | 'alarmRate'
    | 'alarms'
    | 'augment'
    | 'changes'
    | 'choice'
    | 'columns'
    | 'decimal'
    | 'exclude'
    | 'folds'
    | 'gaps'
    | 'heldOut'
    | 'kind'
    | 'labelledFraction'
    | 'mapNormalization'
    | 'missing'
    | 'preset'
    | 'scaling'
    | 'step'
    | 'threads'
    | 'tiles'
    | 'trainShare'
    | 'valueRange'
    | 'window'
    | keyof SplitOptions
  >
> & { readonly region?: RegionOption };

/** Puts a text into one field of an option that has several flags. */
function into(field: string, read: (text: string) => unknown): FlagFacts['read'] {
  return (text, before) => ({ ...(before as object | undefined), [field]: read(text) });
}

/** Numbers with commas between them; any other text stays as it is, for the schema to refuse. */
function readNumbers(text: string): unknown {
  const numbers = text.split(',').map(readNumber);
  return numbers.every((n) => typeof n === 'number') ? numbers : text;
}

const timeUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `5m` in milliseconds; any other text stays as it is, for the schema to refuse. */
function readDuration(text: string): unknown {
  const found = /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)$/.exec(text.trim());
  return found ? Number(found[1]) * timeUnits[found[2] === 'min' ? 'm' : found[2]] : text;
}

function readTiles(text: string): unknown {
  const sides = readSides(text);
  return typeof sides === 'string' ? sides : { height: sides[0], width: sides[1] };
}

/** `x,y,width,height` in pixels, or else the path of an image file. */
function readRegionText(text: string): RegionOption | number[] {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (numbers.every(Number.isNaN)) return text;
  const [x, y, width, height] = numbers;
  return numbers.length === 4 && numbers.every(Number.isInteger) ? { x, y, width, height } : numbers;
}
