/** Checks of how many images there are: to train on, to test with, of each defect. */
import type { Layout, LayoutItem } from '../../layout.ts';
import { type Check, count } from '../check.ts';

const isNormal = (item: LayoutItem) => item.label === 'normal';

/** Items to train on and items to test with; where the layout has no test part, both are drawn from all. */
function roles({ items }: Layout): { train: LayoutItem[]; test: LayoutItem[]; hasTest: boolean } {
  const hasTest = items.some((item) => item.part === 'test');
  return {
    train: items.filter((item) => item.part !== 'test' && item.part !== 'validation'),
    test: hasTest ? items.filter((item) => item.part === 'test') : items,
    hasTest,
  };
}

/** Below this many normal images a detector knows too little, and a threshold is a guess. */
const FEW_NORMALS = 20;

export const fewNormals: Check = {
  code: 'few-normals',
  find({ layout }) {
    const n = roles(layout).train.filter(isNormal).length;
    if (n >= FEW_NORMALS) return [];
    return [
      {
        severity: n < 2 ? 'error' : 'warning',
        message: `There ${n === 1 ? 'is' : 'are'} ${count(n, 'normal image')} to train on.`,
        advice: `Add normal images: ${FEW_NORMALS} is few; several hundred are good.`,
        paths: [],
      },
    ];
  },
};

export const noAnomalies: Check = {
  code: 'no-anomalies',
  find({ layout }) {
    const { test, hasTest } = roles(layout);
    if (test.some((item) => !isNormal(item))) return [];
    return [
      {
        severity: 'warning',
        message: `There is no anomalous image ${hasTest ? 'in the test part' : 'to test with'}.`,
        advice: 'Add some: without them it cannot be measured how many defects are found.',
        paths: [],
      },
    ];
  },
};

/** Below this many normal test images a false-alarm rate of a few per cent cannot be told. */
const FEW_TESTS = 20;

export const fewTestNormals: Check = {
  code: 'few-test-normals',
  find({ layout }) {
    const { test, hasTest } = roles(layout);
    const n = test.filter(isNormal).length;
    if (!hasTest || n >= FEW_TESTS) return [];
    return [
      {
        severity: 'warning',
        message: `The test part has ${count(n, 'normal image')}.`,
        advice:
          n === 0
            ? 'Add some: without them neither the false-positive rate (false alarms) nor AUROC can be measured.'
            : `Add some: the false-positive rate (false alarms) is measured in steps of ${(100 / n).toFixed(0)} %.`,
        paths: [],
      },
    ];
  },
};

/** Share of anomalous images in the test part that is unusual enough to be said. */
const RARE = 0.02;
const MOST = 0.9;

export const unbalanced: Check = {
  code: 'unbalanced',
  find({ layout }) {
    const { test, hasTest } = roles(layout);
    const anomalous = test.filter((item) => !isNormal(item)).length;
    if (!hasTest || anomalous === 0 || anomalous === test.length) return [];
    const share = anomalous / test.length;
    if (share >= RARE && share <= MOST) return [];
    return [
      {
        severity: 'note',
        message: `${(100 * share).toFixed(1)} % of the test part are anomalous.`,
        advice: 'AP and F1 depend on this share; use AUROC and error rates to compare with other data sets.',
        paths: [],
      },
    ];
  },
};

/** A defect type with fewer images gets a line in the table that means little. */
const FEW_OF_TYPE = 5;

export const tinyTypes: Check = {
  code: 'tiny-types',
  find({ layout }) {
    const types = new Map<string, number>();
    for (const item of roles(layout).test) {
      if (!isNormal(item)) types.set(item.type, (types.get(item.type) ?? 0) + 1);
    }
    const tiny = [...types].filter(([, n]) => n < FEW_OF_TYPE);
    if (tiny.length === 0) return [];
    const list = tiny.map(([type, n]) => `${type} (${n})`).join(', ');
    return [
      {
        severity: 'note',
        message: `${count(tiny.length, 'defect type has', 'defect types have')} fewer than ${FEW_OF_TYPE} images: ${list}.`,
        advice: 'Do not draw conclusions from the figures of these types.',
        paths: [],
      },
    ];
  },
};
