import { useSignal } from '@preact/signals';
import { trainWords as say } from '../../words/train.ts';
import type { Line } from './heard.ts';

const SHOWN = 300;
const levels = ['all', 'info', 'warning'] as const;
type Level = (typeof levels)[number];
const least: Readonly<Record<Level, readonly Line['level'][]>> = {
  all: ['debug', 'info', 'warning'],
  info: ['info', 'warning'],
  warning: ['warning'],
};

/** What a job said, by level and word. */
export function Log({ lines, title, isOpen }: { lines: readonly Line[]; title: string; isOpen: boolean }) {
  const level = useSignal<Level>('all');
  const sought = useSignal('');
  const word = sought.value.trim().toLowerCase();
  const found = lines.filter(
    (line) => least[level.value].includes(line.level) && line.text.toLowerCase().includes(word),
  );
  const older = found.length - SHOWN;
  return (
    <details class="log" open={isOpen}>
      <summary>
        {say.log} <span class="soft">({lines.length})</span>
      </summary>
      <div class="row">
        <label>
          {say.level}{' '}
          <select
            value={level.value}
            onChange={({ currentTarget }) => {
              level.value = currentTarget.value as Level;
            }}
          >
            {levels.map((one) => (
              <option key={one} value={one}>
                {say.levels[one]}
              </option>
            ))}
          </select>
        </label>
        <label>
          {say.search}{' '}
          <input
            type="search"
            value={sought.value}
            onInput={({ currentTarget }) => {
              sought.value = currentTarget.value;
            }}
          />
        </label>
      </div>
      {older > 0 && <p class="soft">{say.older(older)}</p>}
      {found.length === 0 ? (
        <p class="soft">{say.noLines}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        <ol tabIndex={0} aria-label={say.ofJob(say.log, title)}>
          {found.slice(-SHOWN).map(({ key, time, level: of, text }) => (
            <li key={key} class={of}>
              <time dateTime={time}>{new Date(time).toLocaleTimeString()}</time>{' '}
              {of !== 'info' && <strong>{of}: </strong>}
              {text}
            </li>
          ))}
        </ol>
      )}
    </details>
  );
}
