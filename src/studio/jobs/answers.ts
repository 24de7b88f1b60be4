/** What the routes of jobs answer, as types: the page imports them. */
import type { Property } from '../../core/schema.ts';
import type { Job, LoggedEvent } from '../../jobs/job.ts';

export type { JobState, LoggedEvent } from '../../jobs/job.ts';
export type { Property };

/** A job with what does the same elsewhere. */
export interface ShownJob extends Job {
  /** Of its kind. */
  readonly title: string;
  /** It ended early, and may go on from what it left. */
  readonly mayResume: boolean;
  /** Absent for what is not done elsewhere. */
  readonly command?: string;
  readonly code?: string;
}

/** A job that was not begun: what it would be, or why it cannot be. */
export interface Preview {
  readonly command: string;
  readonly code: string;
  readonly fault?: {
    readonly message: string /** Path of the option that it is about. */;
    readonly option?: readonly string[];
  };
}

/** An option of a form. */
export interface FormOption {
  readonly name: string;
  readonly schema: Property;
  /** What its value must be, in words. */
  readonly must: string;
}

/** What a model's form is made of. */
export interface ModelForm {
  readonly name: string;
  readonly title: string;
  /** One paragraph: the idea. */
  readonly about: string;
  readonly learning: 'one-class' | 'supervised' | 'baseline';
  readonly learns: 'gradient' | 'statistics' | 'none';
  readonly fitTime: 'seconds' | 'minutes' | 'hours';
  /** Why it is the one to start with, where it is. */
  readonly start?: string;
  /** Name of pretrained weights that do not come with the package. */
  readonly weights?: string;
  readonly options: readonly FormOption[];
  readonly presets: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** How long a training takes on this machine, and the memory that it takes. */
export interface Estimate {
  /** Least and most. */
  readonly seconds: readonly [number, number];
  /** MiB, least and most. */
  readonly memory: readonly [number, number];
  /** How it was estimated, in a sentence. */
  readonly how: string;
}

export type PlanName = 'default' | 'fast' | 'balanced' | 'accurate';

/** A way to train that a person can take without knowing options. */
export interface Plan {
  readonly name: PlanName;
  /** Options of the training, without its data. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Why, or what it is good at and what it costs. */
  readonly reason: string;
  /** What does the same on the command line; absent where there is no version of the data to name. */
  readonly command?: string;
  readonly estimate?: Estimate;
  /** Why there is no estimate, where that was tried. */
  readonly problem?: string;
}

export interface Plans {
  readonly plans: readonly Plan[];
  /** True while estimates are measured. */
  readonly isMeasuring: boolean;
  /** True where nothing speaks against measuring them without being asked: none is known, and no job is at work. */
  readonly mayMeasure: boolean;
  /** What is still missing before anything can be trained, as the training would say it. */
  readonly needed?: string;
}

export interface JobLog {
  readonly events: readonly LoggedEvent[];
}
