/** `oddity models [name]`: the list of models, or everything about one of them. */
import type { Command } from 'commander';
import { findKind } from '../../kinds/index.ts';
import { type AnyModel, findModel, fitTimeOf, models } from '../../models/index.ts';
import { act } from '../act.ts';
import { addSpeech } from '../options.ts';
import { table } from '../render.ts';
import { modelOptions } from '../schema.ts';

export function addModels(command: Command): void {
  command.argument('[name]', 'a model');
  addSpeech(command);
  act(command, async (terminal, _options: object, name?: string) => {
    if (name === undefined) {
      terminal.answer({ models: models.map(describe) }, listText());
    } else {
      const model = findModel(name);
      terminal.answer(describe(model), card(model));
    }
  });
}

/** What a model is for, in the order of the list. */
const tasks: readonly { readonly title: string; readonly takes: (model: AnyModel) => boolean }[] = [
  {
    title: 'Baselines, which a detector must beat',
    takes: ({ learning }) => learning === 'baseline',
  },
  {
    title: 'Labelled anomalies to learn from',
    takes: ({ learning }) => learning === 'supervised',
  },
  { title: 'Series', takes: ({ inputs }) => inputs.includes('series') },
  { title: 'Clips', takes: ({ inputs }) => inputs.includes('clip') },
  { title: 'Images only', takes: ({ inputs }) => !inputs.includes('table') },
  { title: 'Images and tables', takes: ({ inputs }) => inputs.includes('image') && inputs.includes('table') },
  { title: 'Tables only', takes: () => true },
];

/** The order in which groups are shown: what most people look for first. */
const shown = ['Images only', 'Images and tables', 'Tables only', 'Series', 'Clips', 'Labelled', 'Baselines'];

const times = ['seconds', 'minutes', 'hours'] as const;

/** The models by what they are for; in a group the one to start with first, then the quick ones. */
function listText(): string {
  const groups = new Map<string, AnyModel[]>();
  for (const model of models) {
    const { title } = tasks.find(({ takes }) => takes(model))!;
    groups.set(title, [...(groups.get(title) ?? []), model]);
  }
  const rank = (m: AnyModel) => (m.startFor ? -1 : times.indexOf(fitTimeOf(m)));
  const place = (title: string) => shown.findIndex((start) => title.startsWith(start));
  const parts = [...groups]
    .sort(([a], [b]) => place(a) - place(b))
    .map(([title, list]) => {
      const rows = [...list]
        .sort((a, b) => rank(a) - rank(b))
        .map((m) => [m.name, fitTimeOf(m), needsOf(m), m.title, startText(m)]);
      return `${title}\n${table(['model', 'fits in', 'needs', 'what it is', ''], rows)}`;
    });
  return [
    ...parts,
    'Models of tables take series too: a window of steps is their row.',
    'Fits in: on two cores, of some hundred images or some thousand rows. Not sure? oddity try <data> fits a few and ranks them;\noddity train --data <data> takes the one to start with.',
  ].join('\n\n');
}

const startText = ({ startFor = {} }: AnyModel) => {
  const kinds = Object.keys(startFor).map((kind) => findKind(kind).words.items);
  return kinds.length > 0 ? `start here for ${kinds.join(' and ')}` : '';
};

/** What a model needs beside normal items: pretrained weights that are not part of this package, labels. */
function needsOf(model: AnyModel): string {
  if (model.learning === 'supervised') return 'labelled anomalies';
  const backbone = model.backbone?.(model.config.parse({}));
  if (!backbone) return '';
  return backbone.name === 'oddity' ? '' : `weights of ${backbone.name}`;
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
  const start = { fitTime: fitTimeOf(model), ...(model.startFor && { startFor: model.startFor }) };
  return { name, title, idea, paper, learning, inputs, learns, ...start, options, presets };
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
