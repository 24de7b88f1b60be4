/** How a sweep is told, the same on the terminal and on its page. */
import type { ConfigurationRow, SweepSummary } from './results.ts';

/** `knn k=5`: a model with what was varied. */
export function nameOf({
  model,
  preset,
  varied,
}: {
  readonly model: string;
  readonly preset?: string;
  readonly varied: Readonly<Record<string, unknown>>;
}): string {
  const shown = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
  const options = Object.entries(varied).map(([key, value]) => `${key}=${shown(value)}`);
  return [model, ...(preset === undefined ? [] : [preset]), ...options].join(' ');
}

export const chosenByText = (by: SweepSummary['chosenBy']): string =>
  by === 'planted'
    ? 'Chosen by what is planted into held-out normals.'
    : 'Chosen by the labelled items that the plan names.';

export const notUsedText = (by: SweepSummary['chosenBy']): string =>
  by === 'planted'
    ? 'Test figures are shown beside and were not used.'
    : 'Test figures are those of the other test items, and were not used.';

/** `done`, `stopped in round 1`, `2 of 3 failed`. */
export function stateText({ failed, seeds, stoppedIn, choice }: ConfigurationRow): string {
  const parts = [
    ...(stoppedIn === undefined ? [] : [`stopped in round ${stoppedIn}`]),
    ...(failed > 0 ? [`${failed} of ${seeds.length} failed`] : []),
  ];
  if (parts.length > 0) return parts.join(', ');
  return choice.value === null ? 'waiting' : 'done';
}
