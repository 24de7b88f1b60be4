/** `oddity train <model>`: train on the normal items of a data set, test on the rest, keep everything in a run folder. */
import type { Command } from 'commander';
import { Cancelled, ConfigError } from '../../core/errors.ts';
import { type AnyModel, findModel } from '../../models/index.ts';
import { checkRunOptions } from '../../runs/check-options.ts';
import { readRun, runFiles } from '../../runs/folder.ts';
import type { AutoTrainOptions, TrainOptions } from '../../runs/options.ts';
import { newRunFolderOf } from '../../runs/resolve.ts';
import { act } from '../act.ts';
import { located, type ReadConfigFile, readConfigFile } from '../config-file.ts';
import { engine } from '../engine.ts';
import { addModelFlags, addSpeech, modelOf, modelSettings } from '../options.ts';
import { reportText } from '../report.ts';
import { addRunFlags, type Given, givenFlags, optionsFrom } from '../run-flags.ts';
import type { ModelOption } from '../schema.ts';
import type { SpeechOptions, Terminal } from '../terminal.ts';
import { quoted } from '../words.ts';

interface Options extends SpeechOptions, Readonly<Record<string, unknown>> {
  readonly config?: string;
}

export function addTrain(command: Command, argv: readonly string[]): void {
  command.argument(
    '[model]',
    'a model (see: oddity models); its options are listed by: oddity train <model> --help (default: auto, what suits the data)',
  );
  addRunFlags(command)
    .optionsGroup('Run:')
    .option('--config <file.yaml>', 'read flags of this command from a file; those of the command line win');
  addSpeech(command);
  const named = modelOf(argv);
  const flags = named ? addModelFlags(command, named) : [];
  act(command, async (terminal, options: Options, model?: string) => {
    const file = options.config === undefined ? undefined : await readConfigFile(options.config, model);
    const given = givenFlags(options);
    try {
      const train = await trainOptions({ options, given, file, flags }, model, terminal);
      try {
        const report = await (await engine()).train({ ...train, onEvent: terminal.listener, signal: terminal.signal });
        terminal.answer(report, reportText(report, runFiles(report.run).report));
      } catch (error) {
        if (!(error instanceof Cancelled)) throw error;
        throw new Cancelled(
          train.out !== undefined && (await isKept(train.out))
            ? `Stopped. The run is kept in ${train.out}; resume with:\n  ${resumeCommand(argv, train.out)}`
            : 'Stopped before training began; nothing is left behind.',
        );
      }
    } catch (error) {
      throw file && error instanceof ConfigError ? located(error, file, given) : error;
    }
  });
}

/** True when a folder holds a run that was stopped and can go on. */
async function isKept(folder: string): Promise<boolean> {
  const run = await readRun(folder).catch(() => undefined);
  return run?.status === 'cancelled';
}

/** What is handed to the library: flags over the file over defaults. */
async function trainOptions(
  said: {
    options: Options;
    given: ReadonlyMap<string, Given>;
    file: ReadConfigFile | undefined;
    flags: readonly ModelOption[];
  },
  named: string | undefined,
  terminal: Terminal,
): Promise<TrainOptions> {
  const { options, given, file, flags } = said;
  const model = named ?? file?.model;
  const run = optionsFrom(given, file?.flags);
  checkRunOptions(run);
  const { data } = run;
  if (data === undefined)
    throw new ConfigError('missing-data-set', 'oddity train needs data: --data <name or path>. See: oddity datasets');
  const settings = (run.config ?? {}) as Record<string, string>;
  const chosen =
    model === undefined || model === 'auto'
      ? await chosenFor({ ...run, data, config: { ...file?.config, ...settings } }, terminal)
      : { ...run, data, model: findModel(model) };
  const found = chosen.model as AnyModel;
  const own = { ...file?.config, ...modelSettings(found, flags, { ...options }, settings) };
  return {
    ...chosen,
    config: Object.keys(own).length > 0 ? own : chosen.config,
    // Named here, so that it is known when Ctrl-C comes; to resume, it must be told.
    out: run.out ?? (run.resume ? undefined : newRunFolderOf(found, { ...run, data })),
    debug: options.debug,
  };
}

/** Chooses the model; says which and why. */
async function chosenFor(options: AutoTrainOptions, terminal: Terminal): Promise<TrainOptions> {
  const { listener, signal } = terminal;
  const chosen = await (await engine()).chooseModel({ ...options, onEvent: listener, signal });
  if (chosen.choice && !options.resume)
    terminal.note(`Model ${chosen.choice.reason} Others: oddity models, or oddity try.`);
  return chosen;
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
