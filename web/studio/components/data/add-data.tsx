/** Brings data into a project: files or a folder that are dropped or chosen, or a path on this machine. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import type { ImportAnswer, ReadingAnswer } from '../../../../src/studio/answers-data.ts';
import { at, Refused, send } from '../../api.ts';
import { homeWords as say } from '../../words/home.ts';
import { readingWords } from '../../words/reading.ts';
import { type Named, namedFiles, namedInputs } from './dropped.ts';
import { type Reading, ReadingForm } from './reading.tsx';

type Kind = keyof typeof say.kinds;
/** Files that came, or a path on this machine. */
type Source = { readonly uploads: true } | { readonly path: string };

interface Props {
  /** Makes the project that the data go into, where there is none yet. */
  project(): Promise<string>;
  readonly submit: string;
  /** Further fields, such as the name of the project. */
  readonly children?: ComponentChildren;
  /** A project may begin without data. */
  readonly mayBeEmpty?: boolean;
  /** Called with the name of the first thing that was chosen. */
  onChosen?(name: string): void;
  onDone(project: string, answer: ImportAnswer | undefined): void;
  /** Takes a project away that was made for data that could not be read. */
  onFailed?(project: string): Promise<void>;
}

export function AddData({ project, submit, mayBeEmpty = false, onChosen, onDone, onFailed, children }: Props) {
  const files = useSignal<readonly Named[]>([]);
  const [path, kind, state, fault] = [useSignal(''), useSignal<Kind>(''), useSignal(''), useSignal('')];
  const isOver = useSignal(false);
  const form = useRef<HTMLFormElement>(null);

  const choose = (chosen: readonly Named[]) => {
    files.value = chosen;
    const [first] = chosen;
    if (first) onChosen?.(first.path.split('/')[0].replace(/\.[^.]+$/, ''));
  };
  /** A project whose data wait for a person to say how they are read. */
  const waiting = useSignal<{ readonly name: string; readonly source: Source } | undefined>(undefined);
  const begin = async (isLook = false) => {
    if (files.value.length === 0 && path.value.trim() === '' && !mayBeEmpty) {
      fault.value = say.nothing;
      return;
    }
    fault.value = '';
    let name: string | undefined;
    let source: Source | undefined;
    try {
      name = await project();
      source = await bring(name);
      if (isLook && source) waiting.value = { name, source };
      else finish(name, source && (await take(name, source)));
    } catch (error) {
      // Rows that cannot be read as they are can be with what a person says of them.
      const isMissing = error instanceof Refused && nothingThere.has(error.code);
      const isReadable = !isMissing && name !== undefined && source !== undefined && (await canLook(name, source));
      if (isReadable) waiting.value = { name: name!, source: source! };
      else {
        fault.value = (error as Error).message;
        if (name !== undefined) await onFailed?.(name);
      }
    } finally {
      state.value = '';
    }
  };
  const finish = (name: string, answer: ImportAnswer | undefined) => {
    choose([]);
    path.value = '';
    form.current?.reset();
    onDone(name, answer);
  };
  const take = (name: string, source: Source, reading?: Reading): Promise<ImportAnswer> => {
    state.value = say.reading;
    const said = kind.value === '' ? {} : { kind: kind.value };
    return send('POST', at(name, '/import'), { ...source, ...said, ...(reading && { reading, kind: reading.kind }) });
  };
  /** Sends what was chosen; undefined for nothing. */
  const bring = async (name: string): Promise<Source | undefined> => {
    if (files.value.length > 0) {
      await send('DELETE', at(name, '/imports'));
      for (const [i, { path, file }] of files.value.entries()) {
        state.value = say.sending(i + 1, files.value.length);
        await send('PUT', at(name, `/imports/${path.split('/').map(encodeURIComponent).join('/')}`), file);
      }
      return { uploads: true };
    }
    return path.value.trim() === '' ? undefined : { path: path.value.trim() };
  };
  const first = files.value[0]?.path ?? path.value.trim();
  const bytes = files.value.reduce((sum, { file }) => sum + file.size, 0);
  const isBusy = state.value !== '';

  if (waiting.value) {
    const { name, source } = waiting.value;
    return (
      <ReadingForm
        project={name}
        source={source}
        start={kind.value === 'table' || kind.value === 'series' ? { kind: kind.value } : undefined}
        submitLabel={submit}
        submit={async (reading) => {
          const answer = await take(name, source, reading).finally(() => {
            state.value = '';
          });
          waiting.value = undefined;
          finish(name, answer);
        }}
        cancel={() => {
          waiting.value = undefined;
          void onFailed?.(name);
        }}
      />
    );
  }
  return (
    <form
      ref={form}
      class="add"
      onSubmit={(event) => {
        event.preventDefault();
        void begin();
      }}
    >
      <fieldset
        class={`drop ${isOver.value ? 'over' : ''}`}
        onDragOver={(event) => {
          event.preventDefault();
          isOver.value = true;
        }}
        onDragLeave={() => {
          isOver.value = false;
        }}
        onDrop={async (event) => {
          event.preventDefault();
          isOver.value = false;
          if (event.dataTransfer) choose(await namedFiles(event.dataTransfer));
        }}
      >
        <legend class="hidden">{say.drop}</legend>
        <p>{files.value.length > 0 ? say.chosen(files.value.length, sizeText(bytes)) : say.drop}</p>
        <div class="row">
          <span class="soft">{say.or}</span>
          <label class="button">
            {say.files}
            <input
              type="file"
              multiple
              class="hidden"
              onChange={({ currentTarget }) => choose(namedInputs(currentTarget))}
            />
          </label>
          <label class="button">
            {say.folder}
            <input
              type="file"
              class="hidden"
              {...{ webkitdirectory: true }}
              onChange={({ currentTarget }) => choose(namedInputs(currentTarget))}
            />
          </label>
        </div>
      </fieldset>
      <div class="row fields">
        {children}
        <label class="wide">
          {say.path}
          <input
            type="text"
            value={path.value}
            placeholder="/data/screws"
            spellcheck={false}
            disabled={files.value.length > 0}
            onInput={({ currentTarget }) => {
              path.value = currentTarget.value;
            }}
            onChange={({ currentTarget }) => {
              const name = currentTarget.value.trim().split(/[\\/]/).filter(Boolean).at(-1);
              if (name) onChosen?.(name.replace(/\.[^.]+$/, ''));
            }}
          />
          <small>{say.pathHint}</small>
        </label>
        <label>
          {say.kind}
          <select
            value={kind.value}
            onChange={({ currentTarget }) => {
              kind.value = currentTarget.value as Kind;
            }}
          >
            {Object.entries(say.kinds).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
      {fault.value && (
        <p class="banner" role="alert">
          {fault.value}
        </p>
      )}
      <div class="row">
        <button type="submit" class="main" disabled={isBusy}>
          {submit}
        </button>
        {ofRows.test(first) && (
          <button type="button" disabled={isBusy} onClick={() => void begin(true)}>
            {readingWords.look}
          </button>
        )}
        <span role="status">{state.value}</span>
      </div>
    </form>
  );
}

/** Refusals of a path at which there is nothing to look at. */
const nothingThere = new Set(['unknown-data-set', 'no-data']);

/** Names of files whose rows may be looked at first. */
const ofRows = /\.(csv|tsv|txt|data|parquet|arff|mat|npz)$/i;

const canLook = async (name: string, source: Source): Promise<boolean> =>
  send<ReadingAnswer>('POST', at(name, '/reading/preview'), source).then(
    (answer) => answer.fault !== undefined,
    () => false,
  );

const sizeText = (bytes: number): string =>
  bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
