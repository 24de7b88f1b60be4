import { words } from '../words.ts';

export function InspectPage(_: { project: string }) {
  return <h1>{words.sections.inspect}</h1>;
}
