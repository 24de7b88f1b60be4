import { words } from '../words.ts';

export function LivePage(_: { project: string }) {
  return <h1>{words.sections.live}</h1>;
}
