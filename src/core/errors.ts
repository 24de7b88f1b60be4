/**
 * Errors with a stable code and a sentence: what must hold, what was found, where, what to do.
 * Tests match `code`; people read `message`. `internal:` marks a fault of ours, never the caller's.
 */

/** Base of every error that oddity throws on purpose. `exitCode` is what the command line returns. */
export class OddityError extends Error {
  readonly code: string;
  readonly exitCode: number;
  constructor(name: string, code: string, message: string, exitCode = 1) {
    super(message);
    this.name = name;
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** An option, name or configuration that cannot be used as given. */
export class ConfigError extends OddityError {
  constructor(code: string, message: string) {
    super('ConfigError', code, message, 2);
  }
}

/** Data, files or downloads that are missing, truncated or corrupt. */
export class DataError extends OddityError {
  constructor(code: string, message: string) {
    super('DataError', code, message, 3);
  }
}

/** Tensor shapes or types that do not fit together. */
export class ShapeError extends OddityError {
  constructor(message: string) {
    super('ShapeError', 'shape', message, 1);
  }
}

/** A device or library that is not present on this machine. */
export class RuntimeUnavailable extends OddityError {
  constructor(code: string, message: string) {
    super('RuntimeUnavailable', code, message, 4);
  }
}

/** Training that produced a value that is not finite. */
export class TrainingDiverged extends OddityError {
  constructor(message: string) {
    super('TrainingDiverged', 'diverged', message, 5);
  }
}

/** Work stopped because the caller asked for it. */
export class Cancelled extends OddityError {
  constructor(message = 'Cancelled.') {
    super('Cancelled', 'cancelled', message, 130);
  }
}

/** A broken promise of our own code. */
export class InternalError extends OddityError {
  constructor(message: string) {
    super('InternalError', 'internal', `internal: ${message}`, 70);
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

/** `unknownName('model', 'autoencodr', ['autoencoder'])` gives a ConfigError that offers the nearest name. */
export function unknownName(kind: string, given: string, known: readonly string[]): ConfigError {
  const near = nearestName(given, known);
  const hint = near ? `Did you mean "${near}"?` : `Known: ${known.join(', ')}.`;
  return new ConfigError(`unknown-${kind.replace(/ /g, '-')}`, `There is no ${kind} named "${given}". ${hint}`);
}
