/** How the page asks its server, and how it hears of what changes. Types come from the server's own. */
import { signal } from '@preact/signals';
import type { Refusal } from '../../src/studio/answers.ts';
import type { Change, ChangeTopic } from '../../src/studio/store/changes.ts';
import { words } from './words.ts';

/** An answer that is none: its sentence is for people. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'Refused';
  }
}

/** False while the server cannot be reached. */
export const isConnected = signal(true);

/** False once the server does not know this browser: it was started again. */
export const isKnown = signal(true);

async function answerOf(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(`/api${path}`, init).catch((error: unknown) => {
    if ((error as Error).name === 'AbortError') throw error;
    isConnected.value = false;
    throw new Refused('unreachable', words.unreachable);
  });
  isConnected.value = true;
  isKnown.value = response.status !== 401;
  if (response.status === 401) throw new Refused('no-token', words.unknown);
  if (response.ok) return response;
  const { error } = (await response.json().catch(() => ({}))) as Partial<Refusal>;
  throw new Refused(error?.code ?? 'unknown', error?.message ?? words.refused(response.status));
}

export const get = async <T>(path: string, signal?: AbortSignal): Promise<T> =>
  (await (await answerOf(path, { signal })).json()) as T;

export const getBytes = async (path: string, signal?: AbortSignal): Promise<ArrayBuffer> =>
  await (await answerOf(path, { signal })).arrayBuffer();

/** Sends a value as JSON, or bytes as they are. */
export async function send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const isRaw = body instanceof Blob || body instanceof ArrayBuffer;
  const response = await answerOf(path, {
    method,
    ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body) }),
    headers: { 'Content-Type': isRaw ? 'application/octet-stream' : 'application/json' },
  });
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** Path of a project's part of the interface. */
export const at = (project: string, path = ''): string => `/projects/${encodeURIComponent(project)}${path}`;

type Heard = (change: Omit<Change, 'id'>) => void;

const topics: readonly ChangeTopic[] = ['items', 'jobs', 'progress', 'runs', 'points', 'alarms', 'live', 'project'];
const listeners = new Set<Heard>();
let stream: { readonly project: string; readonly source: EventSource } | undefined;

/** Hears what changes in the project that is open; returns what stops it. */
export function onChange(hear: Heard): () => void {
  listeners.add(hear);
  return () => listeners.delete(hear);
}

/** Listens to a project, and to no other one; the browser connects again by itself and says what it heard last. */
export function listenTo(project: string | undefined): void {
  if (stream?.project === project) return;
  stream?.source.close();
  stream = undefined;
  if (project === undefined) return;
  const source = new EventSource(`/api${at(project, '/changes')}`);
  source.onopen = () => {
    isConnected.value = true;
  };
  source.onerror = () => {
    isConnected.value = false;
    // Refused rather than out of reach: the answer to another request says why.
    if (source.readyState === EventSource.CLOSED) get('/projects').catch(() => {});
  };
  for (const topic of topics) {
    source.addEventListener(topic, (event) => {
      for (const hear of listeners) hear({ topic, data: JSON.parse((event as MessageEvent<string>).data) });
    });
  }
  stream = { project, source };
}
