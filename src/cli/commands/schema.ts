/** `oddity schema train [model]` and `oddity schema sweep`: options of a training, keys of a plan, as JSON Schema for editors and forms. */
import type { Command } from 'commander';
import * as z from 'zod';
import { unknownName } from '../../core/errors.ts';
import { findModel, models } from '../../models/index.ts';
import { factsOf, type RunOption, runOptions } from '../../runs/options.ts';
import { planSchema } from '../../sweeps/plan.ts';
import { act } from '../act.ts';

const known = ['train', 'sweep'];

export function addSchema(command: Command): void {
  command
    .argument('<command>', 'train or sweep')
    .argument('[model]', 'train: with the options of this model under "config"');
  act(command, async (terminal, _options: object, name: string, model?: string) => {
    if (!known.includes(name)) throw unknownName('schema', name, known);
    const schema = name === 'sweep' ? sweepSchema() : trainSchema(model);
    terminal.answer(schema, JSON.stringify(schema, null, 2));
  });
}

/** The keys of a plan. */
const sweepSchema = () => ({
  ...z.toJSONSchema(planSchema, { io: 'input', unrepresentable: 'any' }),
  title: 'oddity sweep',
});

/** The options as the library has them; `flags` of each are its flags, which are also its keys in configuration files. */
function trainSchema(model?: string) {
  const json = z.toJSONSchema(runOptions, { io: 'input', unrepresentable: 'any' });
  const properties = Object.entries(json.properties ?? {}).map(([option, property]) => {
    const flags = factsOf.get(option as RunOption)?.flags.map(({ name }) => name) ?? [];
    return [option, { ...(property as object), ...(flags.length > 0 && { flags }) }];
  });
  return {
    ...json,
    title: 'oddity train',
    properties: {
      model: { enum: model ? [findModel(model).name] : models.map((m) => m.name), description: 'The model to train.' },
      ...Object.fromEntries(properties),
      ...(model && { config: z.toJSONSchema(findModel(model).config, { io: 'input' }) }),
    },
    required: ['model', 'data'],
  };
}
