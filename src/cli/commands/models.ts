/** `oddity models [name]`: the list of models, or everything about one of them. */
import type { Command } from 'commander';
import { type AnyModel, findModel, models } from '../../models/index.ts';
import { act } from '../act.ts';
import { addSpeech } from '../options.ts';
import { table } from '../render.ts';
import { modelOptions } from '../schema.ts';

export function addModels(program: Command): void {
  const command = program
    .command('models')
    .description('list the models, or show the options and presets of one')
    .argument('[name]', 'a model');
  addSpeech(command);
  act(command, async (terminal, _options: object, name?: string) => {
    if (name === undefined) {
      const rows = models.map((m) => [m.name, m.learns, m.inputs.join(', '), m.title]);
      terminal.answer({ models: models.map(describe) }, table(['model', 'learns by', 'takes', 'what it is'], rows));
    } else {
      const model = findModel(name);
      terminal.answer(describe(model), card(model));
    }
  });
}

function describe(model: AnyModel) {
  const { name, title, idea, paper, learning, inputs, learns, presets } = model;
  const options = modelOptions(model).map(({ key, type, range, description, default: value }) => ({
    key,
    type,
    default: value,
    range,
    description,
  }));
  return { name, title, idea, paper, learning, inputs, learns, options, presets };
}

function card(model: AnyModel): string {
  const options = modelOptions(model);
  const parts = [`${model.name}: ${model.title}`, model.idea, `Source: ${model.paper}`];
  if (options.length > 0) {
    const rows = options.map((o) => [o.key, String(o.default), o.range, o.description]);
    parts.push(table(['option', 'default', 'range', 'meaning'], rows));
  }
  const presets = Object.entries(model.presets);
  if (presets.length > 0) {
    const values = (preset: object) =>
      Object.entries(preset)
        .map(([key, value]) => `${key}=${value}`)
        .join(' ');
    parts.push(
      table(
        ['preset', 'sets'],
        presets.map(([name, preset]) => [name, values(preset as object)]),
      ),
    );
  }
  return parts.join('\n\n');
}
