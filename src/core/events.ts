/** How lower layers speak: events, never the console. The command line, the server and tests each listen in their way. */
import { libraryWords, type Said, type Text, textIfReferring, write } from './text.ts';

/** `message` is in the words of the library; `text` is there where it names options or actions, for words of one's own. */
export type Event =
  | {
      type: 'progress';
      task: string;
      done: number;
      total: number;
      unit: string;
      rate?: number;
      metrics?: Record<string, number>;
    }
  | { type: 'metric'; name: string; step: number; value: number; phase?: string }
  | { type: 'log'; level: 'debug' | 'info'; message: string; text?: Text }
  | { type: 'warning'; code: string; message: string; text?: Text };

/** Receives events in order; must not throw. */
export type Listener = (event: Event) => void;

/** Hears nothing. */
export const silent: Listener = () => {};

/** A message, and the sentence as data where it refers to something. */
export interface Message {
  readonly message: string;
  readonly text?: Text;
}

/** `said` as a message. */
export function messageOf(said: Said): Message {
  const text = textIfReferring(said);
  return { message: write(said, libraryWords), ...(text && { text }) };
}

/** A warning that names options or actions. */
export const warning = (code: string, said: Said): Event => ({ type: 'warning', code, ...messageOf(said) });
