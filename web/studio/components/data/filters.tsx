/** Which items are shown: filters that stand in the address, so that a link shows the same. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ProjectFacts } from '../../../../src/studio/answers.ts';
import { at, get } from '../../api.ts';
import { place, setQuery } from '../../place.ts';
import { dataWords as say } from '../../words/data.ts';
import { similarWords } from '../../words/similar.ts';
import type { RunLine } from '../run-choice.tsx';
import { type DataStore, filterKeys } from './store.ts';

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly words?: Readonly<Record<string, string>>;
}

function Choice({ name, label, counts, words = {} }: ChoiceProps) {
  const value = place.value.query.get(name) ?? '';
  const names = [...new Set([...Object.keys(counts), ...(value === '' ? [] : [value])])];
  if (names.length === 0) return null;
  return (
    <label>
      {label}
      <select value={value} onChange={({ currentTarget }) => setQuery({ [name]: currentTarget.value || null })}>
        <option value="">{say.any}</option>
        {names.map((one) => (
          <option key={one} value={one}>
            {say.option(words[one] ?? one, counts[one] ?? 0)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A field whose value goes into the address once typing pauses. */
function Field({ name, label, isNumber = false }: { name: string; label: string; isNumber?: boolean }) {
  const typed = useSignal<string | undefined>(undefined);
  useEffect(() => {
    if (typed.value === undefined) return;
    const timer = setTimeout(() => setQuery({ [name]: typed.peek() || null }), 250);
    return () => clearTimeout(timer);
  }, [typed.value]);
  const typing = {
    value: typed.value ?? place.value.query.get(name) ?? '',
    onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => {
      typed.value = currentTarget.value;
    },
    onBlur: () => {
      typed.value = undefined;
    },
  };
  return isNumber ? (
    <label>
      {label}
      <input type="number" step="any" {...typing} />
    </label>
  ) : (
    <label>
      {label}
      <input type="search" {...typing} />
    </label>
  );
}

function Check({ name, value, label }: { name: string; value: string; label: string }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={place.value.query.get(name) === value}
        onChange={({ currentTarget }) => setQuery({ [name]: currentTarget.checked ? value : null })}
      />
      {label}
    </label>
  );
}

export function Filters({ store }: { store: DataStore }) {
  const facets = store.facets.value;
  const runs = useSignal<readonly RunLine[]>([]);
  useEffect(() => {
    const find = async () => {
      const { runs: count } = await get<ProjectFacts>(at(store.project));
      if (count === 0) return;
      const { runs: found } = await get<{ runs: readonly RunLine[] }>(at(store.project, '/runs'));
      runs.value = found.filter(({ status }) => status === 'done');
    };
    find().catch(() => {}); // without runs there is nothing to filter by
  }, [store]);
  if (!facets) return null;
  const { query } = place.value;
  const isFiltered = Object.keys(store.filter.value).length > 0;
  const hasRun = (query.get('run') ?? '') !== '';
  const isImage = store.kind.value === 'image';
  return (
    <search class="filters" aria-label={say.filters}>
      <Field name="search" label={say.search} />
      <Choice name="label" label={say.label} counts={facets.label} words={say.labels} />
      <Choice name="split" label={say.split} counts={facets.split} words={say.splits} />
      <Choice name="type" label={say.type} counts={facets.type} />
      <Choice name="tag" label={say.tag} counts={facets.tag} />
      {isImage && (
        <Choice
          name="mask"
          label={say.mask}
          counts={{ yes: facets.masks, no: facets.total - facets.masks }}
          words={say.masks}
        />
      )}
      {runs.value.length > 0 && (
        <label>
          {say.run}
          <select
            value={query.get('run') ?? ''}
            onChange={({ currentTarget: { value } }) =>
              setQuery({
                run: value || null,
                ...(value ? { order: 'score' } : { low: null, high: null, wrong: null, order: null }),
              })
            }
          >
            <option value="">{say.noRun}</option>
            {runs.value.map(({ name, model }) => (
              <option key={name} value={name}>
                {name} ({model})
              </option>
            ))}
          </select>
        </label>
      )}
      {hasRun && (
        <>
          <Field name="low" label={say.low} isNumber />
          <Field name="high" label={say.high} isNumber />
          <Check name="wrong" value="yes" label={say.wrong} />
          <Check name="order" value="score" label={say.order} />
        </>
      )}
      {query.has('group') && <Check name="group" value={query.get('group')!} label={similarWords.filter} />}
      {isFiltered && (
        <button type="button" onClick={() => setQuery(Object.fromEntries(filterKeys.map((key) => [key, null])))}>
          {say.clear}
        </button>
      )}
    </search>
  );
}
