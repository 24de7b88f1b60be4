import { describe, expect, test } from 'vitest';
import { problemsOf } from '../../test/helpers/check-html.ts';
import { madeUpReport } from '../../test/helpers/report-data.ts';
import { learningCurves, mapSpread, rocChart } from './charts.ts';
import { html } from './html.ts';
import { byType, chooseItems, decide, otherThresholds } from './judgement.ts';
import { mapColour, placeOnScale, valueOnScale } from './map-image.ts';
import { apart, percent, percentInterval, raw, seconds } from './numbers.ts';
import { reportPage } from './page.ts';
import { outline, placeOf } from './pictures.ts';
import { verdictOf } from './verdict.ts';

const item = (score: number, label: 0 | 1, type = label ? 'defect' : 'good') => ({
  id: `${score}`,
  type,
  label,
  score,
});

test('html escapes what it is given, and keeps what is HTML', () => {
  expect(html`<b title="${'"x"'}">${'<&>'}${[html`<i></i>`, 1, false, undefined]}</b>`.text).toBe(
    '<b title="&quot;x&quot;">&lt;&amp;&gt;<i></i>1</b>',
  );
});

test('numbers read well', () => {
  expect([percent(0.0068), percent(0.2264), percent(1), percent(0), percent(null)]).toEqual([
    '0.68\u00a0%',
    '22.6\u00a0%',
    '100\u00a0%',
    '0\u00a0%',
    '–',
  ]);
  expect(percentInterval([0.0019, 0.017])).toBe('0.19–1.7\u00a0%');
  expect([raw(0.73416924), raw(0.00001234), raw(-3), raw(0)]).toEqual(['0.7342', '1.234e-5', '-3', '0']);
  expect([seconds(4.94), seconds(75), seconds(3725)]).toEqual(['4.9 s', '1 min', '1 h 2 min']);
});

describe('judgement', () => {
  const items = [item(0.1, 0), item(0.2, 0), item(0.6, 0), item(0.5, 1), item(0.9, 1, 'hole'), item(0.15, 1, 'hole')];

  test('a score at the threshold is an alarm', () => {
    const d = decide(items, 0.5);
    expect([d.hits, d.misses, d.falseAlarms, d.passes]).toEqual([2, 1, 1, 2]);
    expect([d.recall.share, d.falseAlarmRate.share, d.precision.share]).toEqual([2 / 3, 1 / 3, 2 / 3]);
    expect(decide(items, 2).precision.share).toBe(null);
  });

  test('types: each against all normals, the hardest first, normals last', () => {
    const rows = byType(items, 0.5);
    expect(rows.map((r) => [r.type, r.count, r.value, r.alarms?.share])).toEqual([
      ['hole', 2, 4 / 6, 0.5],
      ['defect', 1, 2 / 3, 1],
      ['good', 3, null, 1 / 3],
    ]);
    expect(byType(items, null)[0].alarms).toBeUndefined();
  });

  test('a class that is both normal and anomalous keeps two rows', () => {
    expect(byType([item(1, 0, 'a'), item(2, 1, 'a')], null).map((r) => r.label)).toEqual([1, 0]);
  });

  test('the worst come first, and no item is chosen twice', () => {
    const { misses, falseAlarms, hits } = chooseItems(items, { misses: 2, falseAlarms: 2, hits: 2 });
    expect([misses, falseAlarms, hits]).toEqual([[5, 3], [2, 1], [4]]);
  });

  test('other thresholds say when they promise too much', () => {
    const normals = Array.from({ length: 99 }, (_, i) => i / 100);
    const rows = otherThresholds(normals, items, [0.001, 0.01, 0.5]);
    expect(rows.map((r) => r.guaranteed)).toEqual([false, true, true]);
    expect(rows[2].threshold).toBeCloseTo(0.49, 6);
    expect(rows[2].recall.share).toBe(2 / 3);
    expect(otherThresholds([], items, [0.1])).toEqual([]);
  });
});

describe('verdict', () => {
  const verdict = (auroc: number | null, mean: number, interval?: [number, number], kind?: 'table') =>
    verdictOf(
      madeUpReport({
        metrics: { item: { auroc } },
        baselines: { random: { item: { auroc: 0.5 } }, 'mean-image': { item: { auroc: mean } } },
        intervals: interval && { item: { auroc: interval } },
        reasons: { item: { auroc: 'All 3 items are normal.' } },
        kind,
      }),
    );

  test('says plainly when a baseline wins, in the words of the kind', () => {
    const { kind, title, text } = verdict(0.8, 0.9);
    expect([kind, title]).toEqual(['bad', 'Loses to a baseline.']);
    expect(text).toContain('AUROC 0.800 against 0.900 of the baseline “mean image”');
    expect(verdict(0.8, 0.9, undefined, 'table').text).toContain('“mean row”');
    expect(verdict(0.4, 0.3).text).toContain('0.500 of the baseline “random”');
  });

  test('needs more than chance to be good', () => {
    expect(verdict(0.9, 0.8, [0.85, 0.95]).kind).toBe('good');
    expect(verdict(0.9, 0.88, [0.85, 0.95]).kind).toBe('unclear');
    expect(verdict(0.9, 0.899).kind).toBe('unclear');
  });

  test('a good ranking with a useless threshold is both', () => {
    const data = madeUpReport();
    expect(verdictOf(data, decide(data.items, 0.9)).text).toMatch(/At the threshold it finds only \d/);
    expect(verdictOf(data, decide(data.items, 0.3)).text).not.toContain('only');
  });

  test('is not green where the threshold fails, a baseline has the better AP, or chance may have decided', () => {
    const made = madeUpReport();
    const of = (changes: Parameters<typeof madeUpReport>[0], threshold = 0.55) => {
      const data = madeUpReport(changes);
      return verdictOf(data, decide(data.items, threshold));
    };
    expect(of({}).kind).toBe('good');
    const often = of({}, 0.3);
    expect([often.kind, often.title]).toEqual(['unclear', 'Alarms too often.']);
    expect(often.text).toMatch(
      /% of the normal test items alarm .* more than the 1\u00a0% that was asked for\. The normal test items seem/,
    );
    const few = { ...made.threshold, normals: 9, rateInterval: [0, 0.9] as const };
    expect(of({ threshold: few }, 0.3).text).toContain(
      'With 9 normals to choose it from this can happen: add normal items.',
    );
    expect(of({ threshold: { ...made.threshold, wantedFalseAlarmRate: null } }, 0.3).kind).toBe('good');
    const next = of({}, 1.2);
    expect([next.kind, next.title]).toEqual(['unclear', 'Finds next to nothing at its threshold.']);
    expect(next.text).toContain('Allow more false alarms');
    const better = of({ baselines: { 'mean-image': { item: { auroc: 0.8, ap: 0.96 } } } });
    expect([better.kind, better.title]).toEqual(['unclear', 'A baseline has the better AP.']);
    expect(better.text).toContain('By AP the baseline “mean image” is better, 0.960 against 0.950.');
    const all = of({ baselines: { 'mean-image': { item: { auroc: 0.95, ap: 0.96 } } } }, 0.3);
    expect(all.title).toBe('Loses to a baseline.');
    for (const words of ['By AP', 'more than the 1', 'Try another model']) expect(all.text).toContain(words);
  });

  test('gives the reason where nothing can be judged', () => {
    expect(verdict(null, 0.8)).toMatchObject({ title: 'Not evaluated.', text: 'All 3 items are normal.' });
  });
});

describe('maps', () => {
  test('places and values on a scale are inverse, the threshold is in the middle', () => {
    const scale = { low: -1, threshold: 0, high: 4 };
    expect([-1, -0.75, 0, 2, 4, 9].map((v) => placeOnScale(v, scale))).toEqual([0, 0.25, 0.5, 0.75, 1, 1]);
    for (const t of [0, 0.1, 0.5, 0.9, 1]) expect(placeOnScale(valueOnScale(t, scale), scale)).toBeCloseTo(t, 12);
  });

  test('lightness rises with the value; below the threshold blue is largest, from it on red', () => {
    const colours = Array.from({ length: 101 }, (_, i) => mapColour(i / 100));
    const lightness = colours.map(([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b);
    for (let i = 1; i < lightness.length; i++) expect(lightness[i]).toBeGreaterThan(lightness[i - 1]);
    expect(colours.slice(0, 50).every(([r, g, b]) => b > r && b > g)).toBe(true);
    expect(colours.slice(50).every(([r, g, b]) => r > b && r > g)).toBe(true);
  });

  test('a region is placed in words', () => {
    expect(placeOf({ x: 3, y: 0, width: 1, height: 2 }, 4, 4)).toBe('upper right');
    expect(placeOf({ x: 1, y: 1, width: 2, height: 2 }, 4, 4)).toBe('centre');
    expect(placeOf({ x: 0, y: 1, width: 1, height: 2 }, 4, 4)).toBe('left');
  });

  test('an outline runs along the borders of pixels, also at the edge', () => {
    expect(outline((p) => p < 2, 2, 2)).toBe('M0 0h2M0 1h2M0 0v1M2 0v1');
    expect(outline(() => false, 2, 2)).toBe('');
  });
});

describe('charts', () => {
  test('a curve of ten thousand items stays small and keeps its ends', () => {
    const items = Array.from({ length: 10_000 }, (_, i) => item(i + (i % 2) * 3000, (i % 2) as 0 | 1));
    const svg = rocChart(madeUpReport({ items }))!.svg.text;
    expect(svg.length).toBeLessThan(60_000);
    expect(svg).toContain('<title>ROC curve</title>');
    expect(rocChart(madeUpReport({ items: [item(1, 0)] }))).toBeUndefined();
  });

  test('values of single maps are boxes by type of item', () => {
    const items = Array.from({ length: 60 }, (_, i) => ({
      ...item(i, (i % 2) as 0 | 1),
      type: ['good', 'crack'][i % 2],
    }));
    const each = items.map((_, i) => (i % 2 ? (i < 20 ? 0 : i / 60) : null));
    const { text, svg } = mapSpread(madeUpReport({ items }), 'AUPIMO', each)!;
    expect(text).toMatch(
      /^Of 30 anomalous images with a mask: median 0\.\d{3}, the middle half from 0\.000 to 0\.\d{3}; in 10 /,
    );
    expect(svg.text).toContain('crack');
    expect(svg.text).not.toContain('good');
    expect(
      mapSpread(
        madeUpReport({ items }),
        'AUPIMO',
        items.map(() => null),
      ),
    ).toBeUndefined();
    const perMap = { aupimo: each };
    expect(reportPage(madeUpReport({ items, perMap }))).toContain('AUPIMO of single images');
  });

  test('one learning curve for each phase and watched number', () => {
    const at = (phase: string, epoch: number, metrics: Record<string, number>) => ({
      phase,
      epoch,
      trainingLoss: 9,
      metrics,
    });
    const curves = learningCurves([
      at('a', 1, { 'd.loss': 2, 'g.loss': 3 }),
      at('a', 2, { 'd.loss': 1, 'g.loss': 4 }),
      at('b', 1, {}),
      at('b', 2, {}),
      at('c', 1, {}),
    ]);
    expect(curves.map((c) => c.title)).toEqual(['Phase “a”: d.loss', 'Phase “a”: g.loss', 'Phase “b”: loss']);
    expect(curves[1].text).toBe('From 3 in epoch 1 to 4 in epoch 2.');
    expect(curves[1].svg.text).toContain('epoch');
  });
});

describe('page', () => {
  const page = reportPage(madeUpReport());

  test('is well-formed, needs nothing from outside, and describes every picture', () => {
    expect(problemsOf(page)).toEqual([]);
  });

  test('shows what was warned of during training, and nothing where there was nothing', () => {
    const warned = reportPage(
      madeUpReport({ warnings: [{ code: 'collapse-code', message: 'codes differ by <0.01>' }] }),
    );
    expect(problemsOf(warned)).toEqual([]);
    expect(warned).toContain('<b>collapse-code</b> codes differ by &lt;0.01&gt;</p>');
    expect(page).not.toContain('collapse-code');
  });

  test('the check of pages finds what is wrong', () => {
    expect(problemsOf(page.replace('</main>', ''))).not.toEqual([]);
    expect(problemsOf(page.replace('</main>', '<img src="https://example.org/x.png"></main>'))).toHaveLength(3);
    expect(problemsOf(page.replace('<title>ROC curve</title>', ''))).toHaveLength(1);
  });

  test('a threshold above all scores is written inside of its chart, and nothing is called a hit', () => {
    const { threshold } = madeUpReport();
    const above = reportPage(madeUpReport({ threshold: { ...threshold, value: 9 } }));
    expect(above).toContain('No anomaly is found; these come closest');
    expect(above).not.toContain('Clearest detections');
    expect(above).toMatch(/text-anchor="end"[^>]*>(<[^>]*>)*threshold 9</);
    expect(page).toContain('Clearest detections');
  });

  test('headings say no more than they show', () => {
    const { items } = madeUpReport();
    const groupOf = (text: string, id: string) =>
      new RegExp(`<section aria-labelledby="${id}">(.*?)</section>`, 's').exec(text)?.[1] ?? '';
    expect(groupOf(page, 'misses')).toContain('Worst misses');
    expect(groupOf(page, 'misses')).not.toContain('>found<');
    expect(groupOf(page, 'false-alarms')).not.toContain('>passed<');
    expect(groupOf(page, 'hits')).not.toContain('>missed<');
    const clean = madeUpReport({ items: items.map((i) => ({ ...i, score: i.label ? 1 + i.score : i.score / 10 })) });
    const shown = reportPage(clean);
    expect(shown).toContain('No anomaly is missed; these come closest');
    expect(shown).toContain('No false alarms; these come closest');
    expect(shown).not.toMatch(/Worst misses|Worst false alarms/);
  });

  test('where nothing is labelled no alarm is called false, and a table speaks of rows', () => {
    const made = madeUpReport();
    const items = made.items.filter((i) => i.label === 0).map((i) => ({ ...i, type: 'normal' }));
    const bare = reportPage(
      madeUpReport({
        kind: 'table',
        items,
        pictures: undefined,
        counts: { ...made.counts, test: items.length, testAnomalies: 0 },
        metrics: { item: { auroc: null, ap: null } },
        reasons: { item: { auroc: 'All 50 items are normal.' } },
        intervals: undefined,
        baselines: {},
        threshold: { ...made.threshold, value: 0.4, folds: 10 },
        rows: [
          {
            item: 3,
            columns: [{ name: 'load <kW>', value: 4, cell: '900', usual: [20.1, 22.9] as const, share: 0.84 }],
          },
          { item: 9, columns: [{ name: 'temp', value: 1, share: 0.5 }] },
        ],
      }),
    );
    expect(problemsOf(bare)).toEqual([]);
    expect(bare.slice(bare.indexOf('<main'))).not.toMatch(/false alarm<|false positives|confusion|>passed<|image/i);
    expect(bare).toMatch(/precision<small>needs labelled anomalies<\/small><\/th><td class="n">–/);
    expect(bare).toContain('Trained on 200 rows');
    expect(bare).toContain('10 further detectors scored the others');
    expect(bare).toContain(
      '<b>load &lt;kW&gt;</b> 900 <small>(usually 20.1 to 22.9)</small> <small>84.0\u00a0%</small>',
    );
    expect(bare).toContain('Most anomalous rows');
    expect(page).not.toContain('Most anomalous rows');
  });

  test('values that differ are written apart', () => {
    expect(apart([4.7, 4.7003, 4.70034])).toEqual(['4.7', '4.7003', '4.70034']);
    expect(apart([1, 1, 2])).toEqual(['1', '1', '2']);
    expect(apart([0, 1e-9, 2e-9])).toEqual(['0', '1.000e-9', '2.000e-9']);
    expect(apart([1 / 3, 1 / 3 + 1e-15])).toEqual(['0.333333333', '0.333333333']);
    const narrow = madeUpReport();
    const pictures = { ...narrow.pictures!, scale: { low: 4.7001, threshold: 4.7002, high: 4.7004 } };
    const shown = /<svg class="scale".*?<\/svg>/s.exec(reportPage({ ...narrow, pictures }))![0];
    expect(new Set(shown.match(/>(≥ )?4\.70\d+</g)).size).toBe(5);
  });

  test('the same data gives the same text', () => expect(reportPage(madeUpReport())).toBe(page));

  test('names are shown as they are, never as HTML', () => {
    expect(page).toContain('hole &amp; &lt;burr&gt;');
    expect(page).not.toContain('<burr>');
  });

  test('intervals, pixel metrics and reasons are shown where they are known', () => {
    expect(page).toContain('95 % interval');
    expect(page).toContain('0.880–0.970');
    expect(page).toContain('pixel AUROC');
    expect(page).toContain('No region of the ground truth');
    const plain = reportPage(madeUpReport({ intervals: undefined, metrics: { item: { auroc: 0.9 } } }));
    expect(plain).not.toContain('pixel AUROC');
    expect(plain).toContain('This run has no intervals');
    expect(problemsOf(plain)).toEqual([]);
  });

  test('titles fit what is shown: images beside pixels, rows alone; a metric of a user stands among the others', () => {
    expect(page).toContain('image AUROC');
    const rows = reportPage(
      madeUpReport({
        kind: 'table',
        pictures: undefined,
        metrics: { item: { auroc: 0.93, own: 0.25, prevalence: 0.4 } },
        baselines: { 'mean-image': { item: { auroc: 0.8, own: 0.2, prevalence: 0.4 } } },
        ownMetrics: [
          { name: 'own', level: 'item', title: 'Own', meaning: 'less is more', range: [0, 1], better: 'lower' },
        ],
      }),
    );
    expect(problemsOf(rows)).toEqual([]);
    expect(rows).not.toMatch(/image AUROC|pixels|mean image/);
    expect(rows).toContain('<th scope="col" class="n">mean row</th>');
    expect(rows).toMatch(/Own<small>less is more<.*<td class="n">0.250<\/td>.*<td class="n"><b>0.200<\/b>/);
    expect(rows).toMatch(/prevalence<small>.*<td class="n">0.400<\/td>.*<td class="n">0.400<\/td>/);
  });

  test('a threshold that saw the test part has a banner, others say that they did not', () => {
    const { threshold } = madeUpReport();
    expect(page).toContain('no test item took part');
    expect(page).not.toContain('tuned on the test set');
    const seen = reportPage(madeUpReport({ threshold: { ...threshold, sawTest: true, rule: 'for the best F1' } }));
    expect(seen).toContain('The threshold was tuned on the test set.');
    expect(seen).toContain('(for the best F1)');
    expect(seen).not.toContain('no test item took part');
  });

  test('an item says in words what its pictures show', () => {
    expect(page).toMatch(/Largest region: 13\.0\u00a0% of the picture, upper right \(x 11–15, y 0–4\)/);
    expect(page).toContain('Ground truth: 13.0\u00a0% of the picture, overlap (IoU) 1.00.');
  });

  test('the oddest patch stands beside the normal patch that is most like it', () => {
    const made = madeUpReport();
    const square = { x: 1, y: 2, pixels: new Float32Array(3 * 16) };
    const nearest = { side: 4, own: square, normal: { id: 'train/good/7.png', ...square, x: 5 } };
    const pictures = { ...made.pictures!, pictures: made.pictures!.pictures.map((p) => ({ ...p, nearest })) };
    const shown = reportPage({ ...made, pictures });
    expect(problemsOf(shown)).toEqual([]);
    expect(shown).toContain('Oddest patch, x 1–4, y 2–5');
    expect(shown).toContain('The most similar patch of normal images, of train/good/7.png, x 5–8, y 2–5');
    expect(page).not.toContain('nearest normal patch');
  });

  test('without a threshold, pictures, training or anomalies it is still a page', () => {
    const { threshold, items } = madeUpReport();
    const bare = reportPage(
      madeUpReport({
        threshold: { ...threshold, value: null, reason: 'There are no held-out normal scores.' },
        pictures: undefined,
        history: [],
        normalScores: [],
        items: items.filter((i) => i.label === 0),
        metrics: { item: { auroc: null } },
        reasons: { item: { auroc: 'All 50 items are normal; both kinds are needed.' } },
        intervals: undefined,
        baselines: {},
      }),
    );
    expect(problemsOf(bare)).toEqual([]);
    for (const words of ['Not evaluated.', 'no threshold', 'There are no pictures', 'no learning curve'])
      expect(bare).toContain(words);
    expect(problemsOf(reportPage(madeUpReport({ items: [], normalScores: [], pictures: undefined })))).toEqual([]);
  });
});
