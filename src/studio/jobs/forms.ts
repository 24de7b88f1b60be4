/** Forms of trainings: which models take the items of a project, with their options, and which options a run has for such items. */
import type { ItemKind } from '../../core/item-shape.ts';
import { propertiesOf, rangeOf } from '../../core/schema.ts';
import { takes } from '../../engine/task/suitable.ts';
import { type AnyModel, fitTimeOf, models } from '../../models/index.ts';
import { type RunOption, runOptions } from '../../runs/options.ts';
import type { FormOption, ModelForm } from './answers.ts';

/** Models that take items of a kind: the one to start with first, then those that fit quickly. */
export function modelForms(kind: ItemKind): ModelForm[] {
  const times = ['seconds', 'minutes', 'hours'];
  const place = (model: AnyModel) => (model.startFor?.[kind] ? -1 : times.indexOf(fitTimeOf(model)));
  return models
    .filter((model) => takes(model, kind))
    .sort((a, b) => place(a) - place(b))
    .map((model) => formOf(model, kind));
}

function formOf(model: AnyModel, kind: ItemKind): ModelForm {
  const { name, title, idea, learning, learns, presets } = model;
  const backbone = model.backbone?.(model.config.parse({}));
  const start = model.startFor?.[kind];
  return {
    ...{ name, title, about: idea, learning, learns, fitTime: fitTimeOf(model) },
    ...(start !== undefined && { start }),
    ...(backbone && backbone.name !== 'oddity' && { weights: backbone.name }),
    options: formOptions(propertiesOf(model.config)),
    presets: presets as ModelForm['presets'],
  };
}

const formOptions = (properties: ReturnType<typeof propertiesOf>): FormOption[] =>
  Object.entries(properties).map(([name, schema]) => ({ name, schema, must: rangeOf(schema) }));

/** Options of a run that a form offers: for all kinds, and for some. The others need files or programs. */
const common: readonly RunOption[] = [
  ...(['seed', 'falseAlarmRate', 'validationFraction', 'folds', 'trainLimit', 'testLimit'] as const),
  ...(['threads', 'device'] as const),
];
const ofKind: Readonly<Partial<Record<ItemKind, readonly RunOption[]>>> = {
  image: ['size', 'channels', 'tiles', 'augment', 'mapNormalization', 'maps'],
  table: ['scaling'],
  series: ['window', 'gaps', 'trainShare', 'scaling', 'alarms', 'alarmRate'],
  clip: ['size', 'channels', 'window'],
};

/** Options of a run for items of a kind, those of the kind first. */
export function runForm(kind: ItemKind): FormOption[] {
  const properties = propertiesOf(runOptions);
  const names = [...(ofKind[kind] ?? []), ...common];
  return formOptions(Object.fromEntries(names.map((name) => [name, properties[name]])));
}
