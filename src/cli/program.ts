/** The command `oddity`: its subcommands, and how every failure becomes one sentence and an exit code. */
import { Command, CommanderError } from 'commander';
import { ConfigError, nearestName, type OddityError } from '../core/errors.ts';
import { visibleJson } from '../core/visible.ts';
import { oddityVersion } from '../runs/versions.ts';
import { addBench } from './commands/bench.ts';
import { addCompare } from './commands/compare.ts';
import { addDatasets } from './commands/datasets.ts';
import { addDoctor } from './commands/doctor.ts';
import { addExport } from './commands/export.ts';
import { addInspect } from './commands/inspect.ts';
import { addModels } from './commands/models.ts';
import { addPredict } from './commands/predict.ts';
import { addReport } from './commands/report.ts';
import { addRuns } from './commands/runs.ts';
import { addSchema } from './commands/schema.ts';
import { addTest } from './commands/test.ts';
import { addThreshold } from './commands/threshold.ts';
import { addTrain } from './commands/train.ts';
import { addTry } from './commands/try.ts';
import { addUpdate } from './commands/update.ts';
import { pluginsOf } from './config-file.ts';
import { errorText, ourError } from './terminal.ts';
import { errorJson, exitCodeOf } from './words.ts';

/** The whole command line. `argv` is looked at because `train autoencoder --help` lists the options of that model. */
export function createProgram(argv: readonly string[]): Command {
  const program = new Command('oddity')
    .description('Anomaly detection: train on normal images, score new ones, ship the result as ONNX.')
    .version(oddityVersion(), '-V, --version', 'show the version')
    .enablePositionalOptions() // an option belongs to the command that it stands behind
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText(
      'after',
      '\nFirst steps, with your own photos or table:\n  oddity inspect parts/\n  oddity train --data parts/\n  oddity try parts/      (which model suits it?)',
    );
  addModels(program);
  addDatasets(program);
  addInspect(program);
  addTry(program);
  addTrain(program, argv);
  addTest(program);
  addUpdate(program);
  addReport(program);
  addPredict(program);
  addThreshold(program);
  addCompare(program);
  addRuns(program);
  addExport(program);
  addSchema(program);
  addBench(program);
  addDoctor(program);
  for (const command of program.commands) {
    command.option(
      '--plugin <file>',
      'make models, metrics, kinds and data sets of a module known; may be repeated',
      (file: string, before: string[] = []) => [...before, file],
    );
  }
  const commands = [program, ...program.commands];
  for (const command of [...commands, ...program.commands.flatMap((c) => c.commands)]) {
    command.exitOverride().configureOutput({ outputError: () => {} });
  }
  return program;
}

/** Runs one command line and returns its exit code. Never throws. */
export async function runCli(argv: readonly string[]): Promise<number> {
  try {
    await loadPlugins(argv);
  } catch (thrown) {
    const error = ourError(thrown);
    report(error, argv);
    return exitCodeOf(error);
  }
  const program = createProgram(argv);
  if (argv.length === 0) {
    program.outputHelp();
    return 0;
  }
  try {
    process.exitCode = 0;
    await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode);
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
    const error = thrown instanceof CommanderError ? usageError(thrown, program, argv) : ourError(thrown);
    report(error, argv);
    return exitCodeOf(error);
  }
}

/** Loads the modules that `--plugin` names, and those of a configuration file, before options of models become flags. */
async function loadPlugins(argv: readonly string[]): Promise<void> {
  const valuesOf = (flag: string) =>
    argv.flatMap((word, i) =>
      word === flag ? argv.slice(i + 1, i + 2) : word.startsWith(`${flag}=`) ? [word.slice(flag.length + 1)] : [],
    );
  const plugins = valuesOf('--plugin');
  if (argv[0] === 'train') {
    for (const file of valuesOf('--config')) plugins.push(...(await pluginsOf(file)));
  }
  if (plugins.length === 0) return;
  const { loadPlugin } = await import('../runs/plugins.ts');
  for (const path of plugins) await loadPlugin(path);
}

/** Writes an error: an object on stdout under `--json`, the sentence on stderr otherwise. */
function report(error: OddityError, argv: readonly string[]): void {
  const at = argv.findIndex((word) => word === '--debug' || word.startsWith('--debug='));
  const debug = at < 0 ? 0 : Number(argv[at].split('=')[1] ?? argv[at + 1]) || 0;
  if (argv.includes('--json')) {
    process.stdout.write(`${visibleJson(JSON.stringify(errorJson(error), null, 2))}\n`);
    if (debug > 0) process.stderr.write(`${errorText(error, debug)}\n`);
  } else {
    process.stderr.write(`${errorText(error, debug)}\n`);
  }
}

/** What commander complains about, in our words, with the nearest name. */
function usageError(error: CommanderError, program: Command, argv: readonly string[]): ConfigError {
  const command = program.commands.find((c) => argv.includes(c.name())) ?? program;
  const name = command === program ? 'oddity' : `oddity ${command.name()}`;
  const help = `See: ${name} --help`;
  const given = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  switch (error.code) {
    case 'commander.unknownOption': {
      const flag = given.split('=')[0];
      const known = command.options.map((o) => o.long ?? '').filter((long) => long !== '');
      const near = nearestName(flag, known);
      return new ConfigError(
        'unknown-option',
        `${name} has no option ${flag}. ${near ? `Did you mean ${near}?` : help}`,
      );
    }
    case 'commander.unknownCommand':
    case 'commander.excessArguments': {
      if (command !== program)
        return new ConfigError('usage', `${name} takes fewer arguments than were given. ${help}`);
      const word = given || (argv.find((w) => !w.startsWith('-')) ?? '');
      const near = nearestName(
        word,
        program.commands.map((c) => c.name()),
      );
      const hint = near ? `Did you mean "${near}"?` : help;
      return new ConfigError('unknown-command', `There is no command named "${word}". ${hint}`);
    }
    case 'commander.missingArgument':
      return new ConfigError('usage', `${name} needs the argument <${given}>. ${help}`);
    case 'commander.optionMissingArgument':
      return new ConfigError('usage', `The option ${given} needs a value. ${help}`);
    default:
      return new ConfigError('usage', `${error.message.replace(/^error: /, '').replace(/\.?$/, '.')} ${help}`);
  }
}
