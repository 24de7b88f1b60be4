/** Errors as answers: the status that a client gets, and the sentence; what is our own fault shows no more than the request's id. */
import { errorData, OddityError } from '../core/errors.ts';

/** Something that a client is told: a status of HTTP, a code for programs, a sentence for people. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = 'Problem';
  }
}

/** Codes of what is missing rather than wrong, or gone for a while. */
const statusOfCode: Readonly<Record<string, number>> = { 'worker-died': 503, 'sharp-missing': 501 };

/** Statuses by the kind of error; what is in a body is the client's. */
const statusOfName: Readonly<Record<string, number>> = {
  ConfigError: 400,
  DataError: 400,
  ShapeError: 400,
  RuntimeUnavailable: 503,
  Cancelled: 503,
};

/** Any thrown value as a problem. `isOurs` is true where the client did nothing wrong and the log must say more. */
export function problemOf(thrown: unknown): { readonly problem: Problem; readonly isOurs: boolean } {
  if (thrown instanceof Problem) return { problem: thrown, isOurs: thrown.status >= 500 };
  if (thrown instanceof OddityError) {
    const { name, code, message } = errorData(thrown);
    const status = statusOfCode[code] ?? statusOfName[name];
    if (status !== undefined) {
      const headers: Record<string, string> = status === 503 ? { 'Retry-After': '1' } : {};
      return { problem: new Problem(status, code, message, headers), isOurs: status >= 500 };
    }
  }
  if ((thrown as NodeJS.ErrnoException | null)?.code === 'ECONNRESET') {
    return { problem: new Problem(400, 'aborted', 'The request ended before its body was whole.'), isOurs: false };
  }
  const message =
    'The server failed on this request, and others are not touched. Its log says more, by the request id.';
  return { problem: new Problem(500, 'internal', message), isOurs: true };
}

/** There is no detector of that name or version. */
export const unknownDetector = (name: string, hint: string): Problem =>
  new Problem(404, 'unknown-detector', `There is no detector named "${name}" here. ${hint}`);
