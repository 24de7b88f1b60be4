/** Thresholds that people saved under a name, with what each does on the test set. */
import { useSignal } from '@preact/signals';
import type { SavedPoint } from '../../../src/studio/evaluate/answers.ts';
import { at, get, send } from '../api.ts';
import { Shown, useAsked } from '../components/asked.tsx';
import { percent, raw } from '../numbers.ts';
import { evaluateWords } from '../words/evaluate.ts';
import type { Choice } from './histogram.tsx';
import type { Model } from './model.ts';

const words = evaluateWords.points;

export function Points({
  project,
  run,
  model,
  choice,
}: {
  project: string;
  run: string;
  model: Model;
  choice: Choice;
}) {
  const path = at(project, `/runs/${encodeURIComponent(run)}/points`);
  const asked = useAsked((signal) => get<SavedPoint[]>(path, signal), ['points']);
  const name = useSignal('');
  const fault = useSignal('');
  const tell = (work: Promise<unknown>) =>
    work.then(
      () => {
        fault.value = '';
        asked.again();
      },
      (error: Error) => {
        fault.value = error.message;
      },
    );
  const save = (event: Event) => {
    event.preventDefault();
    const { threshold, review } = choice;
    void tell(send('POST', path, { name: name.value, threshold: threshold.value, review: review.value }));
    name.value = '';
  };
  return (
    <section>
      <h2>{words.title}</h2>
      <form class="row" onSubmit={save}>
        <label>
          {words.name}{' '}
          <input
            required
            maxLength={100}
            value={name.value}
            onInput={({ currentTarget }) => {
              name.value = currentTarget.value;
            }}
          />
        </label>
        <button type="submit">{words.save}</button>
      </form>
      {fault.value && <p role="alert">{fault.value}</p>}
      <Shown asked={asked}>
        {(saved) =>
          saved.length === 0 ? (
            <p class="soft">{words.none}</p>
          ) : (
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    {words.columns.map((column, i) => (
                      <th key={column} scope="col" class={i > 0 ? 'n' : undefined}>
                        {column}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {saved.map((point) => {
                    const { recall, falseAlarmRate } = model.points.at(point.threshold);
                    return (
                      <tr key={point.id}>
                        <th scope="row">{point.name}</th>
                        <td class="n" title={String(point.threshold)}>
                          {raw(point.threshold)}
                          {point.review !== null && <small> ({raw(point.review)})</small>}
                        </td>
                        <td class="n">{percent(recall)}</td>
                        <td class="n">{percent(falseAlarmRate)}</td>
                        <td class="n">
                          <button
                            type="button"
                            onClick={() => {
                              choice.threshold.value = point.threshold;
                              choice.review.value = point.review;
                              choice.onMove();
                            }}
                          >
                            {words.show} <span class="hidden">{point.name}</span>
                          </button>{' '}
                          <button
                            type="button"
                            aria-label={words.remove(point.name)}
                            title={words.remove(point.name)}
                            onClick={() => tell(send('DELETE', `${path}/${point.id}`))}
                          >
                            ×
                          </button>
                        </td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
            </div>
          )
        }
      </Shown>
    </section>
  );
}
