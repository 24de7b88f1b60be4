/** What every tab does: make a detector in the worker or open one, tell how far it is, and keep its threshold. */
import { computed, type Signal, signal } from '@preact/signals';
import {
  type Event,
  type FitOptions,
  type ModelName,
  type OddityWorker,
  openWorker,
  type PageFitInput,
  type WorkerDetector,
} from 'oddity/browser';

/** Of all tabs; started when the first one needs it. */
let worker: OddityWorker | undefined;

/** Weights of the pretrained network of models of images. */
const weights = new URL('../../weights/oddity.safetensors', import.meta.url).href;

/** What the tasks of events are for a person. */
const stages: Readonly<Record<string, string>> = {
  start: 'Starting',
  read: 'Reading images',
  features: 'Looking at the images',
  patches: 'Looking at the images',
  cells: 'Looking at the images',
  coreset: 'Choosing what to remember',
  fit: 'Learning',
  'score by folds': 'Finding the threshold',
  predict: 'Checking scores',
};

/** How far the making of a detector is. */
export interface Progress {
  readonly stage: string;
  /** Done of the stage, [0, 1]; undefined where nobody knows. */
  readonly share?: number;
  /** Of the stage. */
  readonly secondsLeft?: number;
}

/** What a step says of itself. */
export interface Telling {
  /** What was done last, for those who listen to the page. */
  readonly said: Signal<string>;
  /** What went wrong last, as a sentence. */
  readonly problem: Signal<string>;
}

const openTelling = (): Telling => ({ said: signal(''), problem: signal('') });

/** A detector that is made or opened, and what came of it. */
export interface Flow {
  readonly detector: Signal<WorkerDetector | undefined>;
  readonly progress: Signal<Progress | undefined>;
  readonly reading: Telling;
  readonly making: Telling;
  readonly scoring: Telling;
  /** As it stands on its slider. */
  readonly threshold: Signal<number>;
  readonly isBusy: Signal<boolean>;
  make(model: ModelName, data: PageFitInput, device: 'wasm' | 'webgpu', size?: number): Promise<void>;
  cancel(): void;
  open(kind: string, files: readonly File[]): Promise<void>;
}

/** Runs a step; what it throws becomes its problem. */
export async function attempt({ said, problem }: Telling, step: () => Promise<void>): Promise<void> {
  problem.value = '';
  try {
    await step();
  } catch (error) {
    if ((error as { code?: string }).code === 'cancelled') said.value = 'Cancelled.';
    else problem.value = (error as Error).message;
  }
}

export function openFlow(): Flow {
  const detector = signal<WorkerDetector | undefined>(undefined);
  const progress = signal<Progress | undefined>(undefined);
  const making = openTelling();
  const threshold = signal(0);
  const isBusy = computed(() => progress.value !== undefined);
  let stop: AbortController | undefined;

  const make = async (step: () => Promise<void>) => {
    making.said.value = '';
    progress.value = { stage: stages.start };
    await attempt(making, step);
    progress.value = undefined;
  };
  const take = async (made: WorkerDetector) => {
    await detector.value?.close();
    threshold.value = made.threshold ?? 0;
    detector.value = made;
  };

  return {
    detector,
    progress,
    reading: openTelling(),
    making,
    scoring: openTelling(),
    threshold,
    isBusy,
    make: (model, data, device, size) =>
      make(async () => {
        worker ??= openWorker();
        stop = new AbortController();
        const begin = performance.now();
        const options: FitOptions = {
          weights,
          device,
          signal: stop.signal,
          onEvent: progressOf((now) => {
            progress.value = now;
          }),
          ...(size && { size: [size, size] as const }),
        };
        await take(await worker.fit(model, data, options as object));
        making.said.value = `The detector is ready. It took ${Number(((performance.now() - begin) / 1000).toPrecision(2))} s.`;
      }),
    cancel: () => stop?.abort(),
    open: (kind, files) =>
      make(async () => {
        worker ??= openWorker();
        const opened = await worker.loadDetector(files);
        if (opened.kind !== kind) {
          await opened.close();
          throw new Error(`This tab takes a detector of kind ${kind}; these files hold one of kind ${opened.kind}.`);
        }
        await take(opened);
        making.said.value = `The detector ${opened.info.title} is open.`;
      }),
  };
}

/** Turns events into how far it is. The time left is that of a stage, from the speed so far. */
function progressOf(tell: (progress: Progress) => void): (event: Event) => void {
  let [task, begin] = ['', performance.now()];
  return (event) => {
    if (event.type !== 'progress') return;
    if (event.task !== task) [task, begin] = [event.task, performance.now()];
    const share = event.total > 0 ? event.done / event.total : undefined;
    const seconds = (performance.now() - begin) / 1000;
    const isKnown = event.task !== 'read' && share !== undefined && share > 0 && seconds > 0.5;
    tell({
      stage: stages[event.task] ?? stages.fit,
      // Images are counted while they are read: their number is not known before.
      ...(event.task !== 'read' && { share }),
      ...(isKnown && { secondsLeft: Math.max(1, Math.round((seconds * (1 - share)) / share)) }),
    });
  };
}

/** A score as people read it. */
export const shown = (value: number): string => String(Number(value.toPrecision(4)));
