/**
 * Errors as data: a stable code for programs, and a sentence that says what must hold, what was found, where, and what to
 * do. Tests match `code`; people read `message`, or `text` in the words of their interface. `internal:` marks a fault of
 * ours, never the caller's.
 */
import { libraryWords, type OptionPath, option, type Said, say, type Text, textIfReferring, write } from './text.ts';

/** What is known of the option that an error is about. */
export interface Facts {
  /** Path of the option, as in `OptionReference`. */
  readonly option: readonly string[];
  /** The value that was given. */
  readonly value?: unknown;
  /** What must hold: `an integer from 1 to 4096`. */
  readonly must?: string;
}

/** An option with a value that cannot be; the sentence follows from it. */
export interface BadOption {
  readonly option: OptionPath;
  readonly value: unknown;
  readonly must: string;
  /** What to do, where that is more than to give another value. */
  readonly remedy?: Said;
  /** Name of what the option belongs to, such as a model. */
  readonly of?: string;
}

/** Base of every error that oddity throws on purpose. `message` is the sentence in the words of the library. */
export class OddityError extends Error {
  /** Stable; for programs. */
  readonly code: string;
  /** The option that it is about, where there is one. */
  readonly facts?: Facts;
  readonly #said: Said;
  constructor(name: string, code: string, said: Said, facts?: Facts) {
    super(write(said, libraryWords));
    this.name = name;
    this.code = code;
    this.#said = said;
    if (facts) this.facts = facts;
  }
  /** The sentence as data, for words other than the library's. */
  get text(): Text {
    return typeof this.#said === 'string' ? [this.#said] : this.#said;
  }
}

/** An option, name or configuration that cannot be used as given. */
export class ConfigError extends OddityError {
  /** `said` is a sentence, with the facts beside it where there are any; or else the sentence follows from a `BadOption`. */
  constructor(code: string, said: Said | BadOption, facts?: Facts) {
    if (typeof said === 'string' || !('must' in said)) super('ConfigError', code, said, facts);
    else super('ConfigError', code, sentenceOf(said), factsOf(said));
  }
}

function sentenceOf({ of, option: path, value, must, remedy }: BadOption): Text {
  const whose = of === undefined ? '' : `${of}: `;
  const rest = remedy === undefined ? '' : say` ${remedy}`;
  const found = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return say`${whose}${option(path)} must be ${must}, got ${found}.${rest}`;
}

/** The facts of an option, for errors whose sentence says more than them. */
export function factsOf({ option: path, value, must }: Partial<BadOption> & Pick<BadOption, 'option'>): Facts {
  return { ...option(path, value), ...(must !== undefined && { must }) };
}

/** Data, files or downloads that are missing, truncated or corrupt. */
export class DataError extends OddityError {
  constructor(code: string, said: Said) {
    super('DataError', code, said);
  }
}

/** Tensor shapes or types that do not fit together. */
export class ShapeError extends OddityError {
  constructor(said: Said) {
    super('ShapeError', 'shape', said);
  }
}

/** A device or library that is not present on this machine. */
export class RuntimeUnavailable extends OddityError {
  constructor(code: string, said: Said) {
    super('RuntimeUnavailable', code, said);
  }
}

/** Training that produced a value that is not finite. */
export class TrainingDiverged extends OddityError {
  constructor(said: Said) {
    super('TrainingDiverged', 'diverged', said);
  }
}

/** Work stopped because the caller asked for it. */
export class Cancelled extends OddityError {
  constructor(said: Said = 'Cancelled.') {
    super('Cancelled', 'cancelled', said);
  }
}

/** A broken promise of our own code. */
export class InternalError extends OddityError {
  constructor(message: string) {
    super('InternalError', 'internal', `internal: ${message}`);
  }
}

/** An error as plain data, for other threads and for files. */
export interface ErrorData {
  readonly name: string;
  readonly code: string;
  /** In the words of the library. */
  readonly message: string;
  /** The sentence, where it names options or actions. */
  readonly text?: Text;
  readonly facts?: Facts;
}

/** Any thrown value as data; what is none of our errors is an internal one. */
export function errorData(thrown: unknown): ErrorData {
  if (!(thrown instanceof OddityError)) {
    return errorData(new InternalError(thrown instanceof Error ? thrown.message : String(thrown)));
  }
  const { name, code, message, facts } = thrown;
  const text = textIfReferring(thrown.text);
  return { name, code, message, ...(text && { text }), ...(facts && { facts }) };
}

/** The error that `errorData` made data of, with its class. */
export function errorFrom({ name, code, message, text, facts }: ErrorData): OddityError {
  const said = text ?? message;
  switch (name) {
    case 'ConfigError':
      return new ConfigError(code, said, facts);
    case 'DataError':
      return new DataError(code, said);
    case 'ShapeError':
      return new ShapeError(said);
    case 'RuntimeUnavailable':
      return new RuntimeUnavailable(code, said);
    case 'TrainingDiverged':
      return new TrainingDiverged(said);
    case 'Cancelled':
      return new Cancelled(said);
    default:
      return new InternalError(message.replace(/^internal: /, ''));
  }
}

/** Edit distance of two words, for offering the nearest name; two neighbours swapped count as one edit. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const above = rows[i - 1];
      row[j] = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}

/** The name of `known` nearest to `given`, or undefined when none is near enough to be a typo: some of it must be left. */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  const plain = (s: string) => s.toLowerCase().replace(/[^a-z0-9]/g, '');
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const distance = editDistance(plain(given), plain(name));
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  const most = Math.min(Math.max(2, Math.floor(given.length / 3)), plain(given).length - 1);
  return bestDistance <= most ? best : undefined;
}

/** `Did you mean "autoencoder"?`, or else all names that are known. */
export function nameHint(given: string, known: readonly string[]): string {
  const near = nearestName(given, known);
  return near === undefined ? `Known: ${known.join(', ')}.` : `Did you mean "${near}"?`;
}

/**
 * `unknownName('model', 'autoencodr', ['autoencoder'])` gives a ConfigError `unknown-model` that offers the nearest name.
 * `path` is the option that the name was given to.
 */
export function unknownName(kind: string, given: string, known: readonly string[], path?: OptionPath): ConfigError {
  return new ConfigError(
    `unknown-${kind.replace(/ /g, '-')}`,
    `There is no ${kind} named "${given}". ${nameHint(given, known)}`,
    path === undefined ? undefined : factsOf({ option: path, value: given, must: `one of ${known.join(', ')}` }),
  );
}
