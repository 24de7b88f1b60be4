import type { JobState, PlanName } from '../../../src/studio/jobs/answers.ts';

/** Stages of jobs that have better names than their own. */
const stages: Readonly<Record<string, string>> = {
  read: 'Find the images',
  decode: 'Read the images',
  features: 'Compute features',
  patches: 'Compute features of places',
  coreset: 'Pick the places to keep (coreset)',
  bank: 'Fill the memory bank',
  'score held-out': 'Calibrate the threshold',
  'score by folds': 'Calibrate on further fits',
  'score test': 'Score the test items',
  try: 'Try detectors',
  choose: 'Choose a detector',
  measure: 'Measure trainings',
  describe: 'Describe the images',
};

export const trainWords = {
  lead: 'Train a detector on the normal items of this project. Each training is a run of its own: nothing is overwritten.',
  toData: 'Bring data in',
  plans: 'Ways to train',
  planNames: { default: 'Recommended', fast: 'Fast', balanced: 'Balanced', accurate: 'Accurate' } as Record<
    PlanName,
    string
  >,
  begin: (plan: string) => `Train: ${plan}`,
  adjust: 'Change its options',
  time: 'Time',
  memory: 'Memory',
  estimateHow: 'How this was estimated',
  unknownCost: 'Not measured yet.',
  measuringCost: 'Measuring …',
  toLabels: 'Add or label items on the page Data',
  notResumed: 'Resuming would end the same way: change the data or the options, then train again.',
  noEstimate: (problem: string) => `No estimate: ${problem}`,
  measure: 'Measure time and memory here',
  measuring: 'Measuring time and memory on this machine …',
  measureAbout: 'Trains each way on a small part of your data, for a minute or so.',
  chosen: 'chosen from the data',
  compare: 'Compare quickly',
  try: 'Try a few detectors',
  tryAbout: 'Fits four or five quick detectors within a minute and ranks them. No run is made.',
  form: 'All options',
  formAbout: 'Every option has a default that suits most data. Change what you know better.',
  name: 'Name of the run (optional)',
  nameMust: 'Letters, digits, spaces, dots, hyphens and underscores; the first a letter or digit; 64 at most.',
  model: 'Model',
  auto: 'Chosen from the data',
  autoAbout: 'The model is chosen when the training begins; its reason stands in the run.',
  start: (why: string) => `The one to start with: it ${why}.`,
  fits: { seconds: 'Fits in seconds.', minutes: 'Fits in minutes.', hours: 'Fits in hours.' },
  learning: {
    'one-class': 'Learns from normal items only.',
    supervised: 'Learns from labelled anomalies too.',
    baseline: 'A baseline, which a detector must beat.',
  },
  weights: (name: string) => `Needs the weights of ${name}, which do not come with the package.`,
  preset: 'Preset',
  noPreset: 'None',
  modelOptions: 'Options of the model',
  noOptions: 'This model has no options.',
  runOptions: 'Options of the training',
  usual: (value: string) => `Default (${value})`,
  usualUnknown: 'Default',
  defaultIs: (value: string) => `Default ${value}.`,
  must: (range: string) => `Must be ${range}.`,
  height: 'height',
  width: 'width',
  both: 'Give both height and width.',
  reset: 'Back to the defaults',
  train: 'Train',
  wrong: (n: number) =>
    n === 1 ? 'One value is not possible: see above.' : `${n} values are not possible: see above.`,
  jobs: 'Jobs',
  noJobs: 'No job yet. Take one of the ways above.',
  showAll: (n: number) => `Show all ${n} jobs`,
  states: {
    waiting: 'waiting',
    running: 'running',
    done: 'done',
    failed: 'failed',
    cancelled: 'cancelled',
    interrupted: 'interrupted',
  } as Record<JobState, string>,
  cancel: 'Cancel',
  resume: 'Resume',
  evaluate: 'Evaluate',
  ofJob: (action: string, title: string) => `${action}: ${title}`,
  took: (time: string) => `took ${time}`,
  since: (time: string) => `for ${time}`,
  left: (time: string) => `about ${time} left in this stage`,
  stage: (task: string) => stages[task] ?? task[0].toUpperCase() + task.slice(1),
  stages: 'Stages',
  of: (done: number, total: number) => `${done} of ${total}`,
  curves: 'Curves',
  curve: (name: string, first: string, last: string, step: number) =>
    `${name}: from ${first} to ${last} at step ${step}`,
  log: 'Log',
  level: 'Show',
  levels: { all: 'everything', info: 'messages and warnings', warning: 'warnings' },
  search: 'Search',
  noLines: 'No line fits.',
  older: (n: number) => `${n} older lines are not shown.`,
  code: 'The same in a program',
  tried: 'Detectors that were tried, the best first',
  triedBy: {
    labels: 'Ranked by the labelled anomalies of the test part.',
    planted:
      'There are no labelled anomalies, so made-up ones were planted: the ranking says which model notices those.',
  },
  columns: ['Place', 'Model', 'Fit', 'Score an item'] as const,
  level95: (low: string, high: string) => `${low} to ${high}`,
  mayBeAsGood: 'may be as good as the first',
  threshold: 'Threshold',
  odd: (n: number, of: number) => `${n} of ${of} stand out.`,
  exported: (bytes: string) => `Written: ${bytes}`,
  verified: (passed: boolean) => (passed ? 'verified against the reference' : 'differs from the reference'),
} as const;

/** `1 min 20 s`. */
export function durationText(seconds: number): string {
  if (seconds < 1) return 'less than 1 s';
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

export const rangeText = (low: number, high: number): string => `${durationText(low)} to ${durationText(high)}`;

export const memoryText = (mib: number): string =>
  mib < 1000 ? `${Math.round(mib / 10) * 10} MB` : `${(mib / 1024).toFixed(1)} GB`;

/** A number in few digits. */
export const short = (value: unknown): string =>
  typeof value === 'number' ? String(Number(value.toPrecision(4))) : value === undefined ? '–' : String(value);

/** `learningRate` as `Learning rate`. */
export function labelOf(name: string): string {
  const text = name.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`);
  return text[0].toUpperCase() + text.slice(1);
}
