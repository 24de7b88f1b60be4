/**
 * Checks of models, metrics and kinds of your own, for any test runner. Each check has a name and a function that throws
 * an Error with a sentence.
 * @example for (const { name, run } of checkModel(mine)) test(name, run); // vitest, node:test
 */
export { checkKind, type KindExample } from './check-kind.ts';
export { checkMetric } from './check-metric.ts';
export { checkModel } from './check-model.ts';
export type { Check } from './promises.ts';
