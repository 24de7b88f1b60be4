/** The token of a server: a text that requests must send. From a file or the environment other users of the machine do not see it. */
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../core/errors.ts';
import { option, say } from '../core/text.ts';

/** Characters of a token at least. */
const LEAST = 16;

/**
 * The token by its options; undefined where there is none. Throws ConfigError `two-tokens`, `token-file` for a file that cannot be read,
 * `short-token` for one that is soon guessed, `token-letters` for one that no header can carry.
 */
export async function tokenOf({
  token,
  tokenFile,
}: {
  readonly token?: string;
  readonly tokenFile?: string;
}): Promise<string | undefined> {
  if (token !== undefined && tokenFile !== undefined) {
    throw new ConfigError('two-tokens', say`Give ${option('token')} or ${option('tokenFile')}, not both.`);
  }
  if (tokenFile === undefined) return token === undefined ? undefined : checked(token, 'The token');
  const text = await readFile(tokenFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(
      'token-file',
      say`${option('tokenFile')} ${tokenFile} cannot be read (${error.code ?? 'unknown'}). It must be a file that holds the token.`,
    );
  });
  return checked(text.trim(), `The token in ${tokenFile}`);
}

/** A token that is long enough and fits into a header. Its text is in no message. */
function checked(token: string, what: string): string {
  if (token.length < LEAST) {
    throw new ConfigError(
      'short-token',
      `${what} must have ${LEAST} characters or more, got ${token.length}. Make one with: openssl rand -hex 16`,
    );
  }
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new ConfigError(
    'token-letters',
    `${what} must be letters, digits and signs of ASCII without spaces or line ends, as a header can carry. Make one with: openssl rand -hex 16`,
  );
}
