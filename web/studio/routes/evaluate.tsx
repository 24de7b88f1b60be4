import { words } from '../words.ts';

export function EvaluatePage(_: { project: string }) {
  return <h1>{words.sections.evaluate}</h1>;
}
