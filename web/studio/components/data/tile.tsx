/** An image, a clip or a row in the list. What it shows is said in the name of the option around it. */
import { useSignal } from '@preact/signals';
import type { ItemFacts } from '../../../../src/studio/answers-data.ts';
import { at } from '../../api.ts';
import { dataWords as say } from '../../words/data.ts';
import { LEFT_OUT } from './bulk.tsx';

/** Signs of labels, so that colour is not the only one. */
const signs = { normal: '✓', anomalous: '▲', none: '–' } as const;

export const pictureUrl = (project: string, id: number, size?: number): string =>
  `/api${at(project, `/items/${id}/image${size === undefined ? '' : `?size=${size}`}`)}`;

interface TileProps {
  readonly project: string;
  readonly item: ItemFacts | undefined;
  /** Without its picture, as it passes by. */
  readonly isBare: boolean;
}

export function Tile({ project, item, isBare }: TileProps) {
  if (!item) return <div class="tile waiting" />;
  const { id, name, tags, score, isWrong, hasMask } = item;
  const isOut = tags.includes(LEFT_OUT);
  return (
    <div class={`tile ${isOut ? 'out' : ''}`}>
      {isBare ? <div class="picture" /> : <Picture key={id} project={project} id={id} />}
      <LabelChip item={item} />
      <span class="marks">
        {hasMask && <span title={say.hasMask}>◪</span>}
        {tags.length > 0 && <span title={tags.join(', ')}>{isOut ? '⊘' : '#'}</span>}
        {score !== undefined && (
          <span class={isWrong ? 'wrong' : ''}>
            {score.toPrecision(3)}
            {isWrong ? ' ✗' : ''}
          </span>
        )}
      </span>
      <span class="file">{name.split('/').at(-1)}</span>
    </div>
  );
}

function Picture({ project, id }: { project: string; id: number }) {
  const hasFailed = useSignal(false);
  if (hasFailed.value) return <span class="picture nopicture">{say.noPicture}</span>;
  return (
    <img
      class="picture"
      src={pictureUrl(project, id, 160)}
      alt=""
      loading="lazy"
      decoding="async"
      draggable={false}
      onError={() => {
        hasFailed.value = true;
      }}
    />
  );
}

export function LabelChip({ item: { label, type, split } }: { item: ItemFacts }) {
  return (
    <span class={`chip ${label ?? 'none'}`}>
      {signs[label ?? 'none']} {type ?? say.labels[label ?? 'none']}
      <span class="part"> {say.splits[split ?? 'none']}</span>
    </span>
  );
}

/** Width of a list of rows in rem: below it the list scrolls sideways. */
export const leastWidth = (count: number): number => 32 + 6.5 * count;

/** Widths of the columns before the cells. */
export const columnsOf = (count: number): string =>
  `7rem 9rem 6rem 8rem ${Array.from({ length: count }, () => 'minmax(6rem, 1fr)').join(' ')}`;

export function RowHead({ columns }: { columns: readonly string[] }) {
  return (
    <div class="line head" aria-hidden="true" style={{ gridTemplateColumns: columnsOf(columns.length) }}>
      {[say.row, say.label, say.split, say.tags, ...columns].map((name, i) => (
        <span key={i}>{name}</span>
      ))}
    </div>
  );
}

export function RowLine({ item, columns }: { item: ItemFacts | undefined; columns: readonly string[] }) {
  if (!item) return <div class="line waiting" />;
  const { name, label, type, split, tags, values = [], score, isWrong } = item;
  const isOut = tags.includes(LEFT_OUT);
  return (
    <div class={`line ${isOut ? 'out' : ''}`} style={{ gridTemplateColumns: columnsOf(columns.length) }}>
      <span>{name}</span>
      <span class={label ?? 'soft'}>
        {signs[label ?? 'none']} {type ?? say.labels[label ?? 'none']}
      </span>
      <span>{say.splits[split ?? 'none']}</span>
      <span>
        {[...tags, ...(score === undefined ? [] : [`${score.toPrecision(4)}${isWrong ? ' ✗' : ''}`])].join(', ')}
      </span>
      {columns.map((column, c) => (
        <span key={column}>{values[c] ?? ''}</span>
      ))}
    </div>
  );
}
