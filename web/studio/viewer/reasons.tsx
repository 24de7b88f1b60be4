/** Why a row stands out: its columns by what they add to the score, with what is usual. */

import type { ColumnShare } from '../../../src/kinds/index.ts';
import { Scroll } from '../evaluate/scroll.tsx';
import { percent, raw } from '../numbers.ts';
import { inspectWords } from '../words/inspect.ts';

const words = inspectWords.columns;

export function Reasons({ columns }: { columns: readonly ColumnShare[] }) {
  return (
    <Scroll label={words.title}>
      <table>
        <caption>{words.title}</caption>
        <thead>
          <tr>
            {words.head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {columns.map(({ name, cell, usual, share }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{cell === '' ? words.missing : (cell ?? '–')}</td>
              <td>{usual === undefined ? '–' : usualText(usual)}</td>
              <td>
                <span class="share-bar" style={`width: ${(8 * share).toFixed(2)}rem`} aria-hidden="true" />
                {percent(share)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** What is usual for a column, in words. */
export function usualText(usual: NonNullable<ColumnShare['usual']>): string {
  const [first, second] = usual;
  return typeof first === 'number' && typeof second === 'number' ? words.to(raw(first), raw(second)) : usual.join(', ');
}
