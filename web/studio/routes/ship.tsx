import { words } from '../words.ts';

export function ShipPage(_: { project: string }) {
  return <h1>{words.sections.ship}</h1>;
}
