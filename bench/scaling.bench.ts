/**
 * Which scaling of a table's numbers suits a model: AUROC and AP under the protocol `half`, means over seeds, of all three
 * scalings on the sets of ADBench. The default of a model is chosen on seven sets (`choice`) and told on the other seven
 * (`told`), which no choice has seen. `npm run bench -- scaling [--models knn,pca] [--seeds 3] [--save]`.
 * Needs ADBench (ODDITY_DATA/adbench_classical).
 */
import { Rng } from '../src/core/random.ts';
import { dataRoot, findDataset, findProtocol, type Scaling, scalings } from '../src/data/index.ts';
import { fit } from '../src/index.ts';
import { auroc, averagePrecision } from '../src/metrics/index.ts';
import { findModel } from '../src/models/index.ts';
import { option, saveRows } from './measure.ts';

const sets = {
  choice: ['breastw', 'ionosphere', 'mammography', 'pima', 'thyroid', 'wbc', 'wine'],
  told: ['cardio', 'glass', 'lymphography', 'satimage-2', 'shuttle', 'vowels', 'wdbc'],
};
const names = (option('models') ?? 'knn,pca,isolation-forest,mean-image').split(',');
const seeds = Number(option('seeds') ?? 3);
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** Items of a part, one after the other. */
const most = 4000;

/** AUROC and AP of one fit under the protocol. */
async function judge(name: string, category: string, scaling: Scaling, seed: number) {
  const source = await findDataset(`adbench:${category}`).load({ root: dataRoot(), download: false });
  const limits = { trainLimit: most, testLimit: most, validationFraction: 0.1 };
  const about = source.classes[source.normalClass ?? 0];
  const split = findProtocol('half').split(source, { ...limits, class: about, rng: new Rng(seed) });
  const prepared = (await source.prepare?.(split.train, { scaling, onEvent: () => {} })) ?? source;
  const [width] = prepared.shape;
  const part = async (items: Uint32Array) => {
    const data = new Float32Array(items.length * width);
    await prepared.read(items, data);
    return data;
  };
  const train = { data: await part(split.train), shape: [split.train.length, width] };
  await using detector = await fit(findModel(name), train, { seed, validationFraction: 0 });
  const { scores } = await detector.score(await part(split.test), split.test.length);
  return { auroc: auroc(scores, split.testLabels) ?? 0.5, ap: averagePrecision(scores, split.testLabels) ?? 0 };
}

const rows: Record<string, unknown>[] = [];
for (const name of names) {
  for (const [use, categories] of Object.entries(sets)) {
    for (const category of categories) {
      const row: Record<string, unknown> = { model: name, use, data: `adbench:${category}` };
      for (const scaling of scalings) {
        const found = [];
        for (let seed = 1; seed <= seeds; seed++) found.push(await judge(name, category, scaling, seed));
        row[`${scaling} auroc`] = Number(mean(found.map((one) => one.auroc)).toFixed(4));
        row[`${scaling} ap`] = Number(mean(found.map((one) => one.ap)).toFixed(4));
      }
      rows.push(row);
      console.error(JSON.stringify(row));
    }
  }
}
const summary = names.flatMap((model) =>
  Object.keys(sets).map((use) => {
    const own = rows.filter((row) => row.model === model && row.use === use);
    const columns = scalings.flatMap((scaling) => [`${scaling} auroc`, `${scaling} ap`]);
    return {
      model,
      use,
      ...Object.fromEntries(columns.map((c) => [c, Number(mean(own.map((row) => Number(row[c]))).toFixed(4))])),
    };
  }),
);
console.log(option('json') === undefined ? summary : JSON.stringify(summary));
await saveRows('scaling', [...rows, ...summary.map((row) => ({ ...row, data: 'mean' }))]);
