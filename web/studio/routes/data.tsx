import { words } from '../words.ts';

export function DataPage(_: { project: string }) {
  return <h1>{words.sections.data}</h1>;
}
