/** Errors of other libraries and of the language, as they meet a file that is not what it should be. */
import { type DataError, OddityError } from './errors.ts';

/** What a program says of itself and not of a file. */
const ofPrograms =
  /undefined|\bnull\b|\bNaN\b|\[object|is not a|is not iterable|cannot read|array length|invalid (typed )?array/i;

/**
 * What another library says of a file that it cannot read, in brackets behind a space: ` (unsupported compression LZO)`. Empty
 * for errors of the language, which say nothing to whoever has the file.
 */
export function reasonIn(error: unknown): string {
  const isOfLanguage = [TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => error instanceof kind);
  if (!(error instanceof Error) || isOfLanguage) return '';
  const [first] = error.message.split('\n');
  const reason = first.trim().replace(/[.\s]+$/, '');
  return reason === '' || ofPrograms.test(reason) ? '' : ` (${reason.slice(0, 200)})`;
}

/**
 * Does `read`, which parses a file. What it throws besides errors of ours means that the file is not what it should be: it
 * becomes the DataError that `otherwise` makes of the reason, as `reasonIn` gives it.
 */
export async function parsing<T>(read: () => T | Promise<T>, otherwise: (reason: string) => DataError): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof OddityError) throw error;
    const ours = otherwise(reasonIn(error));
    if (error instanceof Error) ours.stack = error.stack;
    throw ours;
  }
}
