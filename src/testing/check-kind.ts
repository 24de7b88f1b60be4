/** What every kind of item promises, as checks for any test runner. */
import type { ItemShape } from '../core/item-shape.ts';
import type { Kind, ReadContext } from '../kinds/index.ts';
import { type Check, must } from './promises.ts';

/** An item as a caller holds it, and what reading it needs. */
export interface KindExample<Input> {
  readonly item: Input;
  readonly shape: ItemShape;
  /** The encoding of a table, or a decoder of images, where the kind needs one. */
  readonly context?: Omit<ReadContext, 'shape'>;
  /** Items that must be refused, such as one with a value that is not a number. */
  readonly refused?: readonly Input[];
}

/** The checks of a kind on an example: it reads as many finite values as its shape has, refuses what cannot be, and locates. */
export function checkKind<Input>(
  kind: Kind<Input>,
  { item, shape, context, refused = [] }: KindExample<Input>,
): Check[] {
  const count = (sides: readonly number[]) => sides.reduce((n, d) => n * d, 1);
  const read = () => kind.read(item, { shape, ...context });
  return [
    {
      name: 'its words are whole',
      run() {
        for (const [what, text] of Object.entries(kind.words))
          must(text.trim() !== '', `The word "${what}" must not be empty.`);
        must(
          kind.input.layout.length === kind.axes + 1,
          `The layout must name the batch and ${kind.axes} axes, got ${kind.input.layout}.`,
        );
      },
    },
    {
      name: 'it reads an item as finite values of its shape',
      async run() {
        must(shape.length === kind.axes, `The example must have ${kind.axes} axes, got ${shape.join('x')}.`);
        const { values } = await read();
        must(
          values.length === count(shape),
          `An item of ${shape.join('x')} must become ${count(shape)} values, got ${values.length}.`,
        );
        must(values.every(Number.isFinite), 'The values of an item must be finite.');
        const again = await read();
        must(
          values.every((v, i) => v === again.values[i]),
          'The same item must become the same values.',
        );
      },
    },
    {
      name: 'it says where a map stands out',
      run() {
        const map = new Float32Array(count(kind.mapShape(shape)));
        map[0] = 1;
        const places = kind.locate(map, { shape, mapThreshold: 0.5, encoding: context?.encoding });
        must(typeof places === 'object', 'Places must be an object.');
      },
    },
    ...refused.map((bad, i) => ({
      name: `it refuses bad item ${i + 1}`,
      async run() {
        const error = await kind.read(bad, { shape, ...context }).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        must(error !== undefined, 'The item must be refused.');
      },
    })),
  ];
}
