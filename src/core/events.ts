/** How lower layers speak: events, never the console. The command line, the server and tests each listen in their way. */

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
  | { type: 'log'; level: 'debug' | 'info'; message: string }
  | { type: 'warning'; code: string; message: string };

/** Receives events in order; must not throw. */
export type Listener = (event: Event) => void;

/** Hears nothing. */
export const silent: Listener = () => {};
