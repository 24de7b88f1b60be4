/** How the columns of files of rows are read: what each is, which labels are normal, and the first rows as they are then taken. */
import { type Signal, signal, useSignal, useSignalEffect } from '@preact/signals';
import type { ReadingAnswer, ReadingChoice } from '../../../../src/studio/answers-data.ts';
import type { FormOption } from '../../../../src/studio/jobs/answers.ts';
import { at, send } from '../../api.ts';
import { readingWords as say } from '../../words/reading.ts';
import { labelOf } from '../../words/train.ts';
import { words } from '../../words.ts';
import type { Schema, Values } from '../train/fields.ts';
import { OptionField } from '../train/option-field.tsx';

/** Options of a run about reading, by name. */
export interface Reading {
  readonly columns?: Readonly<Record<string, string>>;
  readonly missing?: readonly string[];
  readonly folderNames?: { readonly normal?: readonly string[] };
  readonly [option: string]: unknown;
}

/** True while the form on the page Data is open: a finding opens it where only a person can choose. */
export const isReadingOpen = signal(false);

/** Milliseconds after the last change before the file is read anew. */
const PAUSE = 250;

interface Props {
  readonly project: string;
  /** What is looked at: files that came, a path, or what is in the project. */
  readonly source: { readonly path: string } | { readonly uploads: true } | Record<string, never>;
  /** What is chosen to begin with; absent for what the project has. */
  readonly start?: Reading;
  readonly submitLabel: string;
  submit(reading: Reading): Promise<void>;
  cancel?(): void;
}

export function ReadingForm({ project, source, start, submitLabel, submit, cancel }: Props) {
  const draft = useSignal<Reading | undefined>(start);
  const shown = useSignal<ReadingAnswer | undefined>(undefined);
  const [fault, news] = [useSignal(''), useSignal('')];
  useSignalEffect(() => {
    const reading = draft.value;
    const ending = new AbortController();
    const timer = setTimeout(
      () => {
        send<ReadingAnswer>('POST', at(project, '/reading/preview'), { ...source, ...(reading && { reading }) }).then(
          (came) => {
            if (ending.signal.aborted) return;
            shown.value = came;
            fault.value = '';
          },
          (error: Error) => {
            if (!ending.signal.aborted) fault.value = error.message;
          },
        );
      },
      shown.peek() === undefined ? 0 : PAUSE,
    );
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  });
  const answer = shown.value;
  const reading: Reading = draft.value ?? answer?.reading ?? {};
  const change = (to: Reading) => {
    draft.value = Object.fromEntries(Object.entries({ ...reading, ...to }).filter(([, value]) => value !== undefined));
    news.value = '';
  };
  const finish = async (wanted: Reading) => {
    news.value = say.working;
    try {
      await submit(wanted);
      news.value = say.done;
      fault.value = '';
    } catch (error) {
      fault.value = (error as Error).message;
      news.value = '';
    }
  };
  return (
    <div class="reading">
      {fault.value && (
        <p class="banner" role="alert">
          {fault.value}
        </p>
      )}
      {!answer && !fault.value && (
        <p class="soft" role="status">
          {words.loading}
        </p>
      )}
      {answer && (
        <>
          {answer.fault && (
            <div class="banner" role="alert">
              <p>{answer.fault.message}</p>
              <p class="row">
                {answer.fault.choices.map((choice) => (
                  <ChoiceButton
                    key={JSON.stringify(choice)}
                    choice={choice}
                    act={() => change(chosen(reading, choice))}
                  />
                ))}
              </p>
            </div>
          )}
          {answer.explanation && <p>{answer.explanation}</p>}
          <Columns answer={answer} reading={reading} change={change} />
          {answer.labels && <Labels labels={answer.labels} reading={reading} change={change} />}
          <Others options={answer.options} reading={reading} change={change} />
          <Rows answer={answer} />
          <div class="row">
            <button type="button" class="main" disabled={!!answer.fault} onClick={() => void finish(reading)}>
              {submitLabel}
            </button>
            <button
              type="button"
              onClick={() => change(Object.fromEntries(Object.keys(reading).map((key) => [key, undefined])))}
            >
              {say.automatic}
            </button>
            {cancel && (
              <button type="button" onClick={cancel}>
                {say.cancel}
              </button>
            )}
            <span role="status">{news.value}</span>
          </div>
        </>
      )}
    </div>
  );
}

/** What a click on a proposal sets; where only a person can choose, the first field that it is about is gone to. */
export function ChoiceButton({ choice, act }: { choice: ReadingChoice; act(): void }) {
  return (
    <button type="button" onClick={act}>
      {say.choice(choice.path, choice.value)}
    </button>
  );
}

/** A draft with what a sentence proposes. */
function chosen(reading: Reading, { path: [name, key], value }: ReadingChoice): Reading {
  if (value === undefined) {
    document.querySelector<HTMLElement>(`[data-reading="${name}"]`)?.focus();
    return {};
  }
  if (name === 'columns') return { columns: withColumn(reading, key, String(value)) };
  if (name === 'missing') return { missing: [...(reading.missing ?? []), ...String(value).split(',')] };
  return { [name]: value };
}

/** There is one column of labels. */
function withColumn({ columns = {} }: Reading, name: string, kind: string | undefined): Reading['columns'] {
  const others = Object.entries(columns).filter(([one, is]) => one !== name && !(kind === 'label' && is === 'label'));
  const all = [...others, ...(kind === undefined ? [] : [[name, kind] as const])];
  return all.length > 0 ? Object.fromEntries(all) : undefined;
}

interface PartProps {
  readonly reading: Reading;
  change(to: Reading): void;
}

function Columns({ answer: { columns, options }, reading, change }: PartProps & { answer: ReadingAnswer }) {
  const { additionalProperties } = (options.find(({ name }) => name === 'columns')?.schema ?? {}) as {
    additionalProperties?: Schema;
  };
  const kinds = (additionalProperties?.enum ?? []) as readonly string[];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section class="scroll columns" aria-label={say.columns} tabIndex={0}>
      <table>
        <caption>{say.columnsAbout}</caption>
        <thead>
          <tr>
            <th scope="col">{say.column}</th>
            <th scope="col">{say.use}</th>
            <th scope="col">{say.holds}</th>
          </tr>
        </thead>
        <tbody>
          {columns.map(({ name, kind, content, why, missing, examples }, i) => {
            const set = reading.columns?.[name];
            return (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  <select
                    aria-label={say.useOf(name)}
                    {...(i === 0 && { 'data-reading': 'columns' })}
                    value={set ?? ''}
                    onChange={({ currentTarget: { value } }) =>
                      change({ columns: withColumn(reading, name, value === '' ? undefined : value) })
                    }
                  >
                    <option value="">{set === undefined ? say.asIs(say.kind(kind)) : say.auto}</option>
                    {kinds.map((one) => (
                      <option key={one} value={one}>
                        {say.kind(one)}
                      </option>
                    ))}
                  </select>
                </td>
                <td>
                  {say.content(content, examples.slice(0, 3))}
                  {missing > 0 && say.gaps(missing)}
                  {why !== undefined && <small class="soft"> {why}</small>}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function Labels({ labels, reading, change }: PartProps & { labels: NonNullable<ReadingAnswer['labels']> }) {
  // What was chosen shows at once, before the file is read anew.
  const set = reading.folderNames?.normal;
  const isOn = ({ value, isNormal }: (typeof labels)[number]) => (set ? set.includes(value) : isNormal);
  return (
    <fieldset class="labels">
      <legend>{say.normal}</legend>
      <div class="row">
        {labels.map((label, i) => (
          <label key={label.value} class="check">
            <input
              type="checkbox"
              checked={isOn(label)}
              {...(i === 0 && { 'data-reading': 'folderNames' })}
              onChange={({ currentTarget }) => {
                const normal = labels.filter((one) => (one === label ? currentTarget.checked : isOn(one)));
                change({
                  folderNames:
                    normal.length > 0 ? { ...reading.folderNames, normal: normal.map((one) => one.value) } : undefined,
                });
              }}
            />
            {say.label(label.value, label.count)}
          </label>
        ))}
      </div>
      <small>{say.normalAbout}</small>
    </fieldset>
  );
}

/** Options that are no columns and no labels, each by its schema. */
function Others({ options, reading, change }: PartProps & { options: readonly FormOption[] }) {
  const others = options.filter(({ name }) => name !== 'columns' && name !== 'folderNames');
  return (
    <div class="fields">
      {others.map((one) =>
        one.schema.type === 'array' ? (
          <List key={one.name} option={one} values={(reading[one.name] ?? []) as readonly string[]} change={change} />
        ) : (
          <OptionField
            key={one.name}
            path={`reading.${one.name}`}
            option={one}
            value={(reading as Values)[one.name]}
            faults={{}}
            change={(value) => change({ [one.name]: value })}
          />
        ),
      )}
    </div>
  );
}

function List({
  option: { name, schema },
  values,
  change,
}: {
  option: FormOption;
  values: readonly string[];
  change: PartProps['change'];
}) {
  const typed: Signal<string | undefined> = useSignal(undefined);
  return (
    <div class="field">
      <label for={`reading.${name}`}>{labelOf(name)}</label>
      <input
        id={`reading.${name}`}
        data-reading={name}
        aria-describedby={`reading.${name}-about`}
        value={typed.value ?? values.join(', ')}
        onInput={({ currentTarget: { value } }) => {
          typed.value = value;
          const own = value.split(',').flatMap((word) => word.trim() || []);
          change({ [name]: own.length > 0 ? own : undefined });
        }}
        onBlur={() => {
          typed.value = undefined;
        }}
      />
      <small id={`reading.${name}-about`}>
        {schema.description} {say.list}
      </small>
    </div>
  );
}

function Rows({ answer: { columns, rows, fault } }: { answer: ReadingAnswer }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section class="scroll" aria-label={say.rows} tabIndex={0}>
      <table class="rows">
        <caption>{fault ? say.rowsPlain : say.rowsAbout}</caption>
        <thead>
          <tr>
            {columns.map(({ name, kind }) => (
              <th key={name} scope="col">
                {name}
                <br />
                <small>{say.kind(kind)}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, r) => (
            <tr key={r}>
              {columns.map(({ name, kind }, c) => (
                <td key={name} class={kind === 'ignore' ? 'soft' : typeof cells[c] === 'number' ? 'n' : ''}>
                  {cells[c] ?? <span class="soft">{say.missing}</span>}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The form for what is in a project already. */
export function ReadingPanel({ project }: { project: string }) {
  return (
    <details
      class="panel"
      open={isReadingOpen.value}
      onToggle={({ currentTarget }) => {
        isReadingOpen.value = currentTarget.open;
      }}
    >
      <summary>{say.title}</summary>
      {isReadingOpen.value && (
        <>
          <p class="soft">{say.about}</p>
          <ReadingForm
            project={project}
            source={{}}
            submitLabel={say.set}
            submit={async (reading) => {
              await send('PUT', at(project, '/reading'), reading);
            }}
          />
        </>
      )}
    </details>
  );
}
