/** The command `oddity`: its subcommands, and what it says of words that are none. */
import { Command, CommanderError } from 'commander';
import { ConfigError, nearestName } from '../core/errors.ts';
import { version } from '../core/version.ts';
import { commands } from './commands.ts';

/**
 * The whole command line. Of the commands only those that `isWanted` are there with their options; the others are in the
 * list of commands alone. `argv` is looked at because `train autoencoder --help` lists the options of that model.
 */
export async function createProgram(
  argv: readonly string[],
  isWanted: (command: string) => boolean = (name) => name === (argv[0] === 'help' ? argv[1] : argv[0]),
): Promise<Command> {
  const program = new Command('oddity')
    .description('Anomaly detection: train on normal images, score new ones, ship the result as ONNX.')
    .version(version, '-V, --version', 'show the version')
    .enablePositionalOptions() // an option belongs to the command that it stands behind
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}`.trim() })
    .addHelpText(
      'after',
      '\nFirst steps, with your own photos or table:\n  oddity inspect parts/\n  oddity train --data parts/\n  oddity try parts/      (which model suits it?)',
    );
  for (const { name, usage, description, load } of commands) {
    const command = program.command(name).usage(usage).description(description);
    if (!isWanted(name)) continue;
    (await load())(command, argv);
    command.option(
      '--plugin <file>',
      'make models, metrics, kinds and data sets of a module known; may be repeated',
      (file: string, before: string[] = []) => [...before, file],
    );
  }
  const all = [program, ...program.commands];
  for (const command of [...all, ...program.commands.flatMap((c) => c.commands)]) {
    command.exitOverride().configureOutput({ outputError: () => {} });
  }
  return program;
}

/** Runs one command line and returns its exit code. Never throws. */
export async function runCli(argv: readonly string[]): Promise<number> {
  let program: Command | undefined;
  try {
    await loadPlugins(argv);
    program = await createProgram(argv);
    if (argv.length === 0) {
      program.outputHelp();
      return 0;
    }
    process.exitCode = 0;
    await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode);
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
    const error = thrown instanceof CommanderError && program ? usageError(thrown, program, argv) : thrown;
    const { reportError } = await import('./report-error.ts');
    return reportError(error, argv);
  }
}

/** Loads the modules that `--plugin` names, and those of a configuration file, before options of models become flags. */
async function loadPlugins(argv: readonly string[]): Promise<void> {
  const valuesOf = (flag: string) =>
    argv.flatMap((word, i) =>
      word === flag ? argv.slice(i + 1, i + 2) : word.startsWith(`${flag}=`) ? [word.slice(flag.length + 1)] : [],
    );
  const plugins = valuesOf('--plugin');
  if (argv[0] === 'train' && valuesOf('--config').length > 0) {
    const { pluginsOf } = await import('./config-file.ts');
    for (const file of valuesOf('--config')) plugins.push(...(await pluginsOf(file)));
  }
  if (plugins.length === 0) return;
  const { loadPlugin } = await import('../runs/plugins.ts');
  for (const path of plugins) await loadPlugin(path);
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
