/** The tab of rows: a CSV of good ones, a detector, a CSV to score, the rows that stand out and why. */
import { signal } from '@preact/signals';
import { type ItemScore, type RowObject, readRows } from 'oddity/browser';
import { attempt, openFlow, shown } from './flow.ts';
import { pumpRows } from './made.ts';
import { Drop, download, Keep, Maker, type Offer, Threshold, Told } from './parts.tsx';

interface RowsFile {
  readonly name: string;
  readonly rows: readonly RowObject[];
}

const flow = openFlow();
const good = signal<RowsFile | undefined>(undefined);
const others = signal<(RowsFile & { scores: readonly ItemScore[] }) | undefined>(undefined);
flow.detector.subscribe(() => {
  others.value = undefined;
});

const offers: readonly Offer[] = [
  { name: 'knn', words: 'Nearest neighbours: any table' },
  { name: 'pca', words: 'PCA: columns that go together' },
  { name: 'isolation-forest', words: 'Isolation forest: many columns' },
  { name: 'ecod', words: 'ECOD: extreme values' },
];

/** Rows that are shown. */
const SHOWN = 50;

const read = (files: readonly File[]) =>
  attempt(flow.reading, async () => {
    const [file] = files;
    if (file) good.value = { name: file.name, rows: await readRows(file) };
  });

const score = (files: readonly File[]) =>
  attempt(flow.scoring, async () => {
    const [file] = files;
    const detector = flow.detector.value;
    if (!file || !detector) return;
    const rows = await readRows(file);
    others.value = { name: file.name, rows, scores: await detector.scoreRows(rows) };
    flow.scoring.said.value = `${rows.length} rows scored.`;
  });

const isAbove = (value: number) => value >= flow.threshold.value;

/** All scores in the order of the file, as CSV. */
function scoresAsCsv({ scores }: { scores: readonly ItemScore[] }): string {
  const lines = scores.map(({ score: value }, i) => `${i + 1},${value},${Number(isAbove(value))}`);
  return `row,score,anomalous\n${lines.join('\n')}\n`;
}

/** The columns that make a score, with what is usual. */
function why({ columns = [] }: ItemScore): string {
  return columns
    .filter(({ share }) => share > 0.1)
    .map(({ name, cell, usual }) => {
      const numbers = usual?.every((one) => typeof one === 'number');
      const range = usual && (numbers ? usual.map((one) => shown(Number(one))).join(' to ') : usual.join(', '));
      return `${name} ${cell ?? ''}${range ? ` (usually ${range})` : ''}`;
    })
    .join('; ');
}

function Results() {
  const found = others.value!;
  const order = found.scores.map((_, i) => i).sort((a, b) => found.scores[b].score - found.scores[a].score);
  return (
    <>
      <div class="sliders">
        <Threshold flow={flow} scores={found.scores.map((one) => one.score)} what="rows" />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard. */}
      <section class="scroll" tabIndex={0} aria-label="Rows with the highest scores">
        <table>
          <thead>
            <tr>
              <th scope="col" class="number">
                Row
              </th>
              <th scope="col" class="number">
                Score
              </th>
              <th scope="col">Verdict</th>
              <th scope="col">Columns that add most</th>
            </tr>
          </thead>
          <tbody>
            {order.slice(0, SHOWN).map((i) => {
              const one = found.scores[i];
              return (
                <tr key={i}>
                  <td class="number">{i + 1}</td>
                  <td class="number">{shown(one.score)}</td>
                  <td>
                    <span class={isAbove(one.score) ? 'verdict anomalous' : 'verdict'}>
                      {isAbove(one.score) ? '▲ Anomalous' : '● Normal'}
                    </span>
                  </td>
                  <td class="why">{why(one)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
      <div class="line">
        <button type="button" onClick={() => download('scores.csv', scoresAsCsv(found))}>
          Download all scores
        </button>
      </div>
    </>
  );
}

export function Rows() {
  const { value: known } = good;
  return (
    <>
      <section class="step" aria-labelledby="good-rows">
        <h2 id="good-rows">1. Show what is good</h2>
        <p>A CSV file with a line of column names, and some hundred rows of normal operation.</p>
        <Drop label="CSV of good rows" accept=".csv,.tsv,text/csv" onFiles={read} />
        <div class="line">
          <button type="button" onClick={() => read([pumpRows(400, false)])}>
            Use made-up rows of a pump
          </button>
        </div>
        <Told telling={flow.reading} />
        <p aria-live="polite">
          {known && `${known.name}: ${known.rows.length} rows, columns ${Object.keys(known.rows[0] ?? {}).join(', ')}`}
        </p>
      </section>
      <Maker
        flow={flow}
        kind="table"
        offers={offers}
        missing={known ? '' : 'Add good rows first.'}
        onMake={(model, device) => flow.make(model, good.value!.rows, device)}
      />
      <section class="step" aria-labelledby="score-rows">
        <h2 id="score-rows">3. Score others</h2>
        {flow.detector.value ? (
          <>
            <Drop label="CSV to score" accept=".csv,.tsv,text/csv" onFiles={score} />
            <div class="line">
              <button type="button" onClick={() => score([pumpRows(120, true)])}>
                Score made-up rows
              </button>
            </div>
            <Told telling={flow.scoring} />
            {others.value && <Results />}
          </>
        ) : (
          <p class="soft">Make or open a detector first.</p>
        )}
      </section>
      <Keep flow={flow} number={4} />
    </>
  );
}
