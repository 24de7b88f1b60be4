/** The control of one option, made from its schema, with what it means and what is wrong with its value. */
import type { FormOption } from '../../../../src/studio/jobs/answers.ts';
import { labelOf, trainWords as say } from '../../words/train.ts';
import './form.css';
import { choicesOf, isPair, type Schema, type Values } from './fields.ts';

interface FieldProps {
  /** Path in the form, which is also its id. */
  readonly path: string;
  readonly option: Pick<FormOption, 'name' | 'schema'>;
  readonly value: unknown;
  readonly faults: Readonly<Record<string, string>>;
  /** undefined takes the default. */
  change(value: unknown): void;
}

export function OptionField({ path, option, value, faults, change }: FieldProps) {
  const schema = option.schema as Schema;
  if (schema.properties) {
    const values = (value ?? {}) as Values;
    return (
      <fieldset class="group">
        <legend>{labelOf(option.name)}</legend>
        {schema.description && <small>{schema.description}</small>}
        <div class="fields">
          {Object.entries(schema.properties).map(([name, one]) => (
            <OptionField
              key={name}
              path={`${path}.${name}`}
              option={{ name, schema: one as FormOption['schema'] }}
              value={values[name]}
              faults={faults}
              change={(inner) => {
                const next = Object.fromEntries(
                  Object.entries({ ...values, [name]: inner }).filter(([, v]) => v !== undefined),
                );
                change(Object.keys(next).length > 0 ? next : undefined);
              }}
            />
          ))}
        </div>
        {faults[path] && <Fault id={`${path}-fault`} text={faults[path]} />}
      </fieldset>
    );
  }
  const fault = faults[path];
  const about = {
    id: path,
    'aria-describedby': `${path}-about${fault ? ` ${path}-fault` : ''}`,
    'aria-invalid': fault ? ('true' as const) : undefined,
  };
  const usual = schema.default;
  return (
    <div class="field">
      {isPair(schema) ? (
        <Pair path={path} name={option.name} value={value} about={about} change={change} />
      ) : (
        <>
          <label for={path}>{labelOf(option.name)}</label>
          <Control schema={schema} value={value} about={about} change={change} />
        </>
      )}
      <small id={`${path}-about`}>
        {schema.description} {usual !== undefined && usual !== '' && say.defaultIs(String(usual))}
      </small>
      {fault && <Fault id={`${path}-fault`} text={fault} />}
    </div>
  );
}

const Fault = ({ id, text }: { id: string; text: string }) => (
  <p id={id} class="fault">
    {text}
  </p>
);

type Control = Pick<FieldProps, 'value' | 'change'> & { readonly about: object };

function Control({ schema, value, about, change }: Control & { schema: Schema }) {
  const choices = schema.type === 'boolean' ? [true, false] : choicesOf(schema);
  if (choices) {
    const usual = schema.default === undefined ? say.usualUnknown : say.usual(String(schema.default));
    return (
      <select
        {...about}
        value={value === undefined ? '' : String(value)}
        onChange={({ currentTarget }) => change(choices.find((one) => String(one) === currentTarget.value))}
      >
        <option value="">{usual}</option>
        {choices.map((one) => (
          <option key={String(one)} value={String(one)}>
            {String(one)}
          </option>
        ))}
      </select>
    );
  }
  const isNumber = schema.type === 'integer' || schema.type === 'number';
  return (
    <input
      {...about}
      // What is no number stays to be seen, and is said beside it.
      type="text"
      inputMode={isNumber ? 'decimal' : 'text'}
      value={value === undefined ? '' : String(value)}
      placeholder={schema.default === undefined ? '' : String(schema.default)}
      onInput={({ currentTarget: { value: text } }) =>
        change(text === '' ? undefined : isNumber ? numberOf(text) : text)
      }
    />
  );
}

/** A text as a number; what is none stays a text, which the form refuses. */
const numberOf = (text: string): unknown => (Number.isNaN(Number(text)) ? text : Number(text));

function Pair({ path, name, value, about, change }: Control & { path: string; name: string }) {
  const sides = (value ?? [undefined, undefined]) as readonly unknown[];
  const set = (place: number, text: string) => {
    const next = sides.map((side, i) => (i !== place ? side : text === '' ? undefined : numberOf(text)));
    change(next.every((side) => side === undefined) ? undefined : next);
  };
  return (
    <fieldset class="sides">
      <legend>{labelOf(name)}</legend>
      {([say.height, say.width] as const).map((side, i) => (
        <input
          key={side}
          {...about}
          id={i === 0 ? path : `${path}-width`}
          type="text"
          inputMode="numeric"
          aria-label={`${labelOf(name)}: ${side}`}
          placeholder={side}
          value={sides[i] === undefined ? '' : String(sides[i])}
          onInput={({ currentTarget }) => set(i, currentTarget.value)}
        />
      ))}
    </fieldset>
  );
}
