/** Brings data into a project: files or a folder that are dropped or chosen, or a path on this machine. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import type { ImportAnswer } from '../../../../src/studio/answers-data.ts';
import { at, send } from '../../api.ts';
import { homeWords as say } from '../../words/home.ts';
import { type Named, namedFiles, namedInputs } from './dropped.ts';

type Kind = keyof typeof say.kinds;

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
  const begin = async () => {
    if (files.value.length === 0 && path.value.trim() === '' && !mayBeEmpty) {
      fault.value = say.nothing;
      return;
    }
    fault.value = '';
    let name: string | undefined;
    try {
      name = await project();
      const answer = await bring(name);
      choose([]);
      path.value = '';
      form.current?.reset();
      onDone(name, answer);
    } catch (error) {
      fault.value = (error as Error).message;
      if (name !== undefined) await onFailed?.(name);
    } finally {
      state.value = '';
    }
  };
  const bring = async (name: string): Promise<ImportAnswer | undefined> => {
    const said = kind.value === '' ? {} : { kind: kind.value };
    if (files.value.length > 0) {
      await send('DELETE', at(name, '/imports'));
      for (const [i, { path, file }] of files.value.entries()) {
        state.value = say.sending(i + 1, files.value.length);
        await send('PUT', at(name, `/imports/${path.split('/').map(encodeURIComponent).join('/')}`), file);
      }
      state.value = say.reading;
      return send('POST', at(name, '/import'), { uploads: true, ...said });
    }
    if (path.value.trim() === '') return undefined;
    state.value = say.reading;
    return send('POST', at(name, '/import'), { path: path.value.trim(), ...said });
  };
  const bytes = files.value.reduce((sum, { file }) => sum + file.size, 0);
  const isBusy = state.value !== '';

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
        <span role="status">{state.value}</span>
      </div>
    </form>
  );
}

const sizeText = (bytes: number): string =>
  bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
