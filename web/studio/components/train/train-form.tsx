/** Every option of a training, from the schemas of the models and of runs; what cannot be is said beside its field. */
import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import type { FormOption, ModelForm, Preview } from '../../../../src/studio/jobs/answers.ts';
import { at, get, send } from '../../api.ts';
import { trainWords as say, short } from '../../words/train.ts';
import { Shown, useAsked } from '../asked.tsx';
import { Command } from '../command.tsx';
import { faultsOf, type Values } from './fields.ts';
import { OptionField } from './option-field.tsx';

/** What stands in the form. */
export interface Draft {
  readonly name: string;
  readonly model?: string;
  readonly preset?: string;
  readonly config: Values;
  readonly run: Values;
}
export const emptyDraft: Draft = { name: '', config: {}, run: {} };

/** The options of a job, from a draft. */
export function optionsOf({ model, preset, config, run }: Draft): Values {
  return {
    ...(model !== undefined && { model }),
    ...(preset !== undefined && { preset }),
    ...(model !== undefined && Object.keys(config).length > 0 && { config }),
    ...run,
  };
}

/** A draft with the options of a plan. */
export function draftOf({ model, config = {}, ...run }: Values): Draft {
  return { ...emptyDraft, ...(typeof model === 'string' && { model }), config: config as Values, run };
}

interface FormProps {
  readonly project: string;
  readonly version: string;
  readonly draft: Signal<Draft>;
  /** Something is missing before anything can be trained. */
  readonly isBlocked: boolean;
  train(options: Values, name: string): Promise<void>;
}

export function TrainForm(props: FormProps) {
  const asked = useAsked(async (signal) => {
    const [{ models }, { options }] = await Promise.all([
      get<{ models: readonly ModelForm[] }>(at(props.project, '/models'), signal),
      get<{ options: readonly FormOption[] }>(at(props.project, '/run-options'), signal),
    ]);
    return { models, options };
  });
  return <Shown asked={asked}>{(forms) => <Form {...props} {...forms} />}</Shown>;
}

/** Milliseconds after the last change before the server looks at a draft. */
const PAUSE = 250;
const allowedName = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u;

function Form({
  project,
  version,
  draft,
  isBlocked,
  train,
  models,
  options,
}: FormProps & { models: readonly ModelForm[]; options: readonly FormOption[] }) {
  const preview = useSignal<Preview | undefined>(undefined);
  const fault = useSignal('');
  const { name, model: chosen, preset, config, run } = draft.value;
  const model = models.find((one) => one.name === chosen);
  const isNamed = name === '' || allowedName.test(name);
  const local = {
    ...(model && faultsOf(model.options, config, 'config.')),
    ...faultsOf(options, run),
    ...(!isNamed && { name: say.nameMust }),
  };
  const isFine = Object.keys(local).length === 0;
  const change = (to: Partial<Draft>) => {
    draft.value = { ...draft.peek(), ...to };
  };

  useSignalEffect(() => {
    const { name: as, ...rest } = draft.value;
    const ending = new AbortController();
    const timer = setTimeout(() => {
      const body = { kind: 'train', options: { ...optionsOf({ name: as, ...rest }), data: { version } } };
      send<Preview>('POST', at(project, '/jobs/preview'), { ...body, ...(allowedName.test(as) && { name: as }) }).then(
        (came) => {
          if (!ending.signal.aborted) preview.value = came;
        },
        () => {
          if (!ending.signal.aborted) preview.value = undefined;
        },
      );
    }, PAUSE);
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  });

  // What the server found wrong stands beside its field as well, where nothing was found here.
  const remote = preview.value?.fault;
  const place = remote?.option?.join('.');
  const known = new Set([
    ...options.map((one) => one.name),
    ...(model?.options.map((one) => `config.${one.name}`) ?? []),
  ]);
  const faults: Record<string, string> = {
    ...(remote && place !== undefined && { [place]: remote.message }),
    ...local,
  };
  const general = remote && isFine && (place === undefined || !known.has(place)) ? remote.message : '';
  const wrong = Object.keys(faults).length;

  return (
    <form
      noValidate
      onSubmit={async (event) => {
        event.preventDefault();
        if (wrong > 0) {
          document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
          return;
        }
        fault.value = '';
        await train(optionsOf(draft.peek()), name).catch((error: Error) => {
          fault.value = error.message;
        });
      }}
    >
      <div class="fields">
        <div class="field">
          <label for="train-model">{say.model}</label>
          <select
            id="train-model"
            value={chosen ?? ''}
            onChange={({ currentTarget: { value } }) =>
              change({ model: value === '' ? undefined : value, preset: undefined, config: {} })
            }
          >
            <option value="">{say.auto}</option>
            {models.map((one) => (
              <option key={one.name} value={one.name}>
                {one.name}: {one.title}
              </option>
            ))}
          </select>
        </div>
        {model && Object.keys(model.presets).length > 0 && (
          <div class="field">
            <label for="train-preset">{say.preset}</label>
            <select
              id="train-preset"
              value={preset ?? ''}
              onChange={({ currentTarget: { value } }) => change({ preset: value === '' ? undefined : value })}
            >
              <option value="">{say.noPreset}</option>
              {Object.entries(model.presets).map(([one, sets]) => (
                <option key={one} value={one}>
                  {one} (
                  {Object.entries(sets)
                    .map(([key, value]) => `${key} ${short(value)}`)
                    .join(', ')}
                  )
                </option>
              ))}
            </select>
          </div>
        )}
        <div class="field">
          <label for="train-name">{say.name}</label>
          <input
            id="train-name"
            value={name}
            aria-invalid={isNamed ? undefined : 'true'}
            aria-describedby={isNamed ? undefined : 'train-name-fault'}
            onInput={({ currentTarget }) => change({ name: currentTarget.value })}
          />
          {!isNamed && (
            <p class="fault" id="train-name-fault">
              {say.nameMust}
            </p>
          )}
        </div>
      </div>
      <About model={model} />
      {model && (
        <fieldset>
          <legend>{say.modelOptions}</legend>
          {model.options.length === 0 && <p class="soft">{say.noOptions}</p>}
          <div class="fields">
            {model.options.map((one) => (
              <OptionField
                key={`${model.name}.${one.name}`}
                path={`config.${one.name}`}
                option={one}
                value={config[one.name]}
                faults={faults}
                change={(value) => change({ config: withValue(config, one.name, value) })}
              />
            ))}
          </div>
        </fieldset>
      )}
      <fieldset>
        <legend>{say.runOptions}</legend>
        <div class="fields">
          {options.map((one) => (
            <OptionField
              key={one.name}
              path={one.name}
              option={one}
              value={run[one.name]}
              faults={faults}
              change={(value) => change({ run: withValue(run, one.name, value) })}
            />
          ))}
        </div>
      </fieldset>
      {(fault.value || general) && (
        <p class="banner" role="alert">
          {fault.value || general}
        </p>
      )}
      <div class="row">
        <button type="submit" class="main" disabled={isBlocked}>
          {say.train}
        </button>
        <button
          type="button"
          onClick={() => {
            draft.value = emptyDraft;
          }}
        >
          {say.reset}
        </button>
        <span role="status">{wrong > 0 && <span class="fault">{say.wrong(wrong)}</span>}</span>
      </div>
      {preview.value && (
        <>
          <Command text={preview.value.command} />
          <Command text={preview.value.code} label={say.code} />
        </>
      )}
    </form>
  );
}

const withValue = (values: Values, name: string, value: unknown): Values =>
  Object.fromEntries(Object.entries({ ...values, [name]: value }).filter(([, one]) => one !== undefined));

function About({ model }: { model: ModelForm | undefined }) {
  if (!model) return <p class="soft">{say.autoAbout}</p>;
  const { about, learning, fitTime, start, weights } = model;
  return (
    <p>
      {start !== undefined && <strong>{say.start(start)} </strong>}
      {about} {say.learning[learning]} {say.fits[fitTime]} {weights !== undefined && say.weights(weights)}
    </p>
  );
}
