/**
 * `oddity/client`: asks a server of detectors, from Node and from pages. It is `fetch` with the types of the answers, which are those that
 * the server's schemas make. Left out: tensors (clients of KServe and Triton send these), and sending a request again, which is for whoever
 * knows how long it may take.
 */
import { OddityError } from '../core/errors.ts';
import type { DetectorFacts, DetectorList, ItemsAnswer, SeriesAnswer } from '../server/detectors/answers.ts';

export { OddityError } from '../core/errors.ts';
export type { DetectorFacts, DetectorList, ItemsAnswer, SeriesAnswer } from '../server/detectors/answers.ts';

/** What a server did not do. `code` is the server's, such as `missing-columns`; `unreachable` where no answer came. */
export class ServerError extends OddityError {
  /** Of HTTP; undefined where no answer came. */
  readonly status?: number;
  /** The request in the log of the server. */
  readonly requestId?: string;
  /** Seconds after which it may be sent again, where the server says so: it is busy (429) or a detector is opened anew (503). */
  readonly retryAfter?: number;

  constructor(
    code: string,
    message: string,
    about: { readonly status?: number; readonly requestId?: string; readonly retryAfter?: number } = {},
  ) {
    super('ServerError', code, message);
    Object.assign(this, about);
  }
}

/** How a server is asked. */
export interface ClientOptions {
  /** The token of the server, where it has one. */
  token?: string;
}

/** Options of a request. */
export interface AskOptions {
  /** Of the detector; default the latest. */
  version?: string;
  /** Ends the request; its rejection is that of `fetch`. */
  signal?: AbortSignal;
}

/** An image as a file has it: PNG, JPEG … */
export type ImageFile = Blob | Uint8Array | ArrayBuffer;

/** A row by its columns, or a step of a series by its channels and its time. */
export type RowValues = Readonly<Record<string, string | number | boolean | Date | null | undefined>>;

/** A server. All methods throw ServerError for what the server refuses, and where it cannot be reached. */
export interface Client {
  /** The detectors of the server; one whose files cannot be read has a `fault` and little else. */
  detectors(options?: Pick<AskOptions, 'signal'>): Promise<DetectorList['detectors']>;
  /** What a detector takes, and how its threshold came about. */
  detector(name: string, options?: AskOptions): Promise<DetectorFacts>;
  /**
   * Scores image files, in their order; those that cannot be read are in `failed`. With `map` each has a picture of the image with its map
   * over it.
   */
  scoreImages(
    name: string,
    images: readonly ImageFile[],
    options?: AskOptions & { map?: boolean },
  ): Promise<ItemsAnswer>;
  /** Scores rows; those with a cell that cannot be read are in `failed`. */
  scoreRows(name: string, rows: readonly RowValues[], options?: AskOptions): Promise<ItemsAnswer>;
  /** Scores the steps of one series, with its alarms. */
  scoreSeries(name: string, steps: readonly RowValues[], options?: AskOptions): Promise<SeriesAnswer>;
}

/**
 * A client of the server at an address. Nothing is sent before a method is called.
 * @example const { items } = await connect('http://localhost:8080').scoreRows('machines', [{ temperature: 71.2, pressure: 3.1 }]);
 */
export function connect(url: string, { token }: ClientOptions = {}): Client {
  async function ask<Answer>(path: string, { version, map, signal, ...init }: Asking): Promise<Answer> {
    const query = new URLSearchParams({ ...(version !== undefined && { version }), ...(map && { map: 'true' }) });
    const address = `${url.replace(/\/+$/, '')}/detectors${path}${query.size > 0 ? `?${query}` : ''}`;
    const headers = { ...init.headers, ...(token !== undefined && { Authorization: `Bearer ${token}` }) };
    let response: Response;
    try {
      response = await fetch(address, { ...init, headers, signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ServerError('unreachable', `No server answers at ${url}. Start one, or correct the address.`);
    }
    const answer = await response.json().catch((error: unknown) => {
      if (signal?.aborted) throw error; // ended while the answer came
      return undefined;
    });
    if (response.ok && answer !== undefined) return answer as Answer;
    throw refusal(response, answer);
  }
  const at = (name: string) => `/${encodeURIComponent(name)}`;
  const json = (rows: readonly RowValues[]) => ({
    ...{ method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(rows) },
  });
  return {
    async detectors(options = {}) {
      return (await ask<DetectorList>('', options)).detectors;
    },
    detector: (name, options = {}) => ask(at(name), options),
    scoreImages(name, images, options = {}) {
      const body = new FormData();
      for (const [i, image] of images.entries()) {
        const blob = image instanceof Blob ? image : new Blob([image as BlobPart]);
        body.append('image', blob, image instanceof File ? image.name : String(i + 1));
      }
      return ask(`${at(name)}/score`, { ...options, method: 'POST', body });
    },
    scoreRows: (name, rows, options = {}) => ask(`${at(name)}/score`, { ...options, ...json(rows) }),
    scoreSeries: (name, steps, options = {}) => ask(`${at(name)}/score`, { ...options, ...json(steps) }),
  };
}

interface Asking extends AskOptions {
  readonly map?: boolean;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit;
}

/** What was answered as an error, also by a proxy before the server. */
function refusal(response: Response, answer: unknown): ServerError {
  const { status } = response;
  const wait = Number(response.headers.get('Retry-After') ?? Number.NaN);
  const about = { status, ...(wait >= 0 && { retryAfter: wait }) };
  const said = (answer as { error?: { code?: string; message?: string; requestId?: string } } | undefined)?.error;
  if (typeof said?.code === 'string' && typeof said.message === 'string') {
    return new ServerError(said.code, said.message, { ...about, requestId: said.requestId });
  }
  return new ServerError(
    'no-oddity-server',
    `What answers with status ${status} is no server of oddity. Check the address.`,
    about,
  );
}
