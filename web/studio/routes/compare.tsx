import { words } from '../words.ts';

export function ComparePage(_: { project: string }) {
  return <h1>{words.sections.compare}</h1>;
}
