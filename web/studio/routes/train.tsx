import { words } from '../words.ts';

export function TrainPage(_: { project: string }) {
  return <h1>{words.sections.train}</h1>;
}
