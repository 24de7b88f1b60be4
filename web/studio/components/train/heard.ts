/** What a job said: its log as the server keeps it, and what it says from then on. */
import { useSignal, useSignalEffect } from '@preact/signals';
import type { Event } from '../../../../src/core/events.ts';
import type { JobLog } from '../../../../src/studio/jobs/answers.ts';
import { at, get, onChange } from '../../api.ts';

type Progress = Extract<Event, { type: 'progress' }>;

export interface Line {
  readonly key: number;
  readonly time: string;
  readonly level: 'debug' | 'info' | 'warning';
  readonly text: string;
}

/** A job as its page shows it. */
export interface Heard {
  /** The last of each stage, in the order in which they began. */
  readonly stages: readonly Progress[];
  /** The stage that spoke last. */
  readonly current?: string;
  /** Points of each metric, by name. */
  readonly curves: ReadonlyMap<string, readonly (readonly [step: number, value: number])[]>;
  readonly lines: readonly Line[];
}

const nothing: Heard = { stages: [], curves: new Map(), lines: [] };
/** Points of a curve, above which every other one is let go of. */
const MOST_POINTS = 2000;
const MOST_LINES = 5000;

/** What was heard with one event more. */
function add(heard: Heard, event: Event, time: string): Heard {
  if (event.type === 'progress') {
    const place = heard.stages.findIndex(({ task }) => task === event.task);
    const stages = place < 0 ? [...heard.stages, event] : heard.stages.with(place, event);
    return { ...heard, stages, current: event.task };
  }
  if (event.type === 'metric') {
    const points = heard.curves.get(event.name) ?? [];
    const last = points.at(-1)?.[0] ?? -1;
    // After a resume steps come again.
    const before = event.step > last ? points : points.filter(([step]) => step < event.step);
    const thinned = before.length < MOST_POINTS ? before : before.filter((_, i) => i % 2 === 0);
    return { ...heard, curves: new Map(heard.curves).set(event.name, [...thinned, [event.step, event.value]]) };
  }
  const level = event.type === 'warning' ? 'warning' : event.level;
  const key = (heard.lines.at(-1)?.key ?? 0) + 1;
  return { ...heard, lines: [...heard.lines.slice(-MOST_LINES), { key, time, level, text: event.message }] };
}

/** Listens to a job while it is shown. */
export function useHeard(project: string, id: string) {
  const heard = useSignal<Heard>(nothing);
  useSignalEffect(() => {
    const ending = new AbortController();
    let waiting: { readonly event: Event; readonly time: string }[] = [];
    let isRead = false;
    let frame = 0;
    const flush = () => {
      frame = 0;
      const now = waiting;
      waiting = [];
      heard.value = now.reduce((sum, { event, time }) => add(sum, event, time), heard.peek());
    };
    const stop = onChange(({ topic, data }) => {
      if (topic !== 'progress') return;
      const { id: of, event } = data as { id: string; event: Event };
      if (of !== id) return;
      waiting.push({ event, time: new Date().toISOString() });
      if (isRead && frame === 0) frame = requestAnimationFrame(flush);
    });
    get<JobLog>(at(project, `/jobs/${id}/log`), ending.signal).then(
      ({ events }) => {
        // The server keeps an event before it tells it: what came meanwhile may be in the log as well.
        const told = new Set(events.slice(-100).map(({ time: _, ...event }) => JSON.stringify(event)));
        waiting = waiting.filter(({ event }) => !told.has(JSON.stringify(event)));
        heard.value = events.reduce((sum, { time, ...event }) => add(sum, event as Event, time), nothing);
        isRead = true;
        flush();
      },
      () => {
        isRead = true;
      },
    );
    return () => {
      ending.abort();
      stop();
      cancelAnimationFrame(frame);
    };
  });
  return heard;
}
