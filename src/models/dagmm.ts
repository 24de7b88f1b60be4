/**
 * DAGMM (Zong et al., ICLR 2018): an autoencoder gives each row a short code and two measures of its reconstruction error;
 * a second network assigns these to the Gaussians of a mixture, and the energy −log p under the mixture is the score. After
 * training one more pass over the data fixes the mixture. The map is the squared reconstruction error, which the score
 * sees only in sum. As in the paper the reconstruction error in the loss is a sum over the columns. Ours: a larger ridge on
 * the covariances and a bound on the gradient's norm, without which one-valued codes turn singular, and ten times the
 * published learning rate for a tenth of its steps or fewer. The score is a density: where anomalies lie in denser places
 * than normal rows it is below chance, as on optdigits and SpamBase of ADBench.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { pass } from './parts/fitting/measure.ts';
import { phase } from './parts/fitting/phase.ts';
import * as common from './parts/options.ts';
import { channelsOf, countOf } from './parts/shapes.ts';

const config = z.strictObject({
  layers: z
    .string()
    .regex(/^(auto|\d+(-\d+)*)$/)
    .default('auto')
    .describe('Widths of the compression network down to the code, as 60-30-10-1; "auto" follows the inputs.'),
  estimation: z.int().min(1).max(1024).default(10).describe('Hidden units of the estimation network.'),
  mixtures: z.int().min(1).max(64).default(4).describe('Gaussians of the mixture.'),
  energyWeight: common.neededWeight(0.1, 'λ1: weight of the mean energy in the loss.', { most: 10 }),
  covarianceWeight: common.weight(0.005, 'λ2: weight of the penalty on small variances in the loss.', { most: 10 }),
  ridge: z.number().positive().max(1).default(1e-3).describe('Added to the diagonal of the covariances.'),
  dropout: common.share(0.5, 'Share of hidden estimation units that a step leaves out.', { most: 0.9 }),
  epochs: common.epochs(200, 'Passes over the training rows.'),
  batchSize: common.batchSize(1024, 'Rows per training step.', { least: 2, most: 65536 }),
  learningRate: common.learningRate(1e-3),
});
type Config = z.infer<typeof config>;

/** Largest norm of the gradient. */
const CLIP = 5;

/** Widths down to the code. "auto": a half, a quarter and a twelfth of the inputs and one number, as for KDD99. */
export function widthsOf(layers: string, inputs: number): number[] {
  if (layers !== 'auto') return layers.split('-').map(Number);
  const widths = [2, 4, 12].map((part) => Math.round(inputs / part)).filter((width) => width >= 2);
  return [...new Set(widths), 1];
}

/** Compression network: code `[N, c]` and reconstruction `[N, D]`; tanh between, both linear. */
function compress({ layers }: Config, net: nn.Scope, x: Value): { code: Value; reconstruction: Value } {
  const inputs = channelsOf(x);
  const widths = widthsOf(layers, inputs);
  const dense = (name: string, h: Value, units: number, isLast: boolean) => {
    const y = nn.dense(net.at(name), h, units, { weightInit: nn.glorotUniform, biasInit: nn.zerosInit });
    return isLast ? y : g.tanh(y);
  };
  const last = widths.length - 1;
  const code = widths.reduce((h, units, i) => dense(`enc${i + 1}`, h, units, i === last), x);
  const back = [...widths.slice(0, -1).reverse(), inputs];
  return { code, reconstruction: back.reduce((h, units, i) => dense(`dec${i + 1}`, h, units, i === last), code) };
}

const norm = (x: Value) => g.sqrt(g.add(g.reduceSum(g.square(x), { axes: [1], keep: true }), 1e-12));

/** z = [code, ‖x − x'‖ / ‖x‖, cosine of x and x'], equations 2 and 3. `[N, d]` */
function represent(code: Value, x: Value, reconstruction: Value): Value {
  const [before, after] = [norm(x), norm(reconstruction)];
  const distance = g.div(norm(g.sub(x, reconstruction)), g.maximum(before, 1e-3));
  const product = g.reduceSum(g.mul(x, reconstruction), { axes: [1], keep: true });
  return g.concat([code, distance, g.div(product, g.maximum(g.mul(before, after), 1e-6))], 1);
}

/** Estimation network: soft membership γ, `[N, K]`. */
function estimate({ estimation, mixtures, dropout }: Config, net: nn.Scope, z: Value): Value {
  const init = { weightInit: nn.glorotUniform, biasInit: nn.zerosInit };
  const hidden = g.tanh(nn.dense(net.at('hidden'), z, estimation, init));
  return g.softmax(nn.dense(net.at('out'), nn.dropout(net.at('hidden'), hidden, dropout), mixtures, init), 1);
}

/** A mixture of Gaussians: shares φ `[K]`, means μ `[K, d]`, covariances Σ `[K, d, d]`. */
export interface Mixture {
  readonly shares: Value;
  readonly means: Value;
  readonly covariances: Value;
}

/** Σγ `[K]`, Σγz `[K, d]`, Σγzzᵀ `[K, d·d]` over a batch: everything that a mixture is made from. */
function momentsOf(z: Value, gamma: Value): { mass: Value; first: Value; second: Value } {
  const [n, d] = z.shape;
  const outer = g.reshape(g.mul(g.reshape(z, [n, d, 1]), g.reshape(z, [n, 1, d])), [n, Number(d) ** 2]);
  const over = (values: Value) => g.matMul(gamma, values, { transposeA: true });
  return { mass: g.reduceSum(gamma, { axes: [0] }), first: over(z), second: over(outer) };
}

/** The mixture of a batch, equations 5, with deviations taken from the means so that nothing cancels. */
function mixtureOf(z: Value, gamma: Value, ridge: number): Mixture {
  const [n, k, d] = [countOf(z), channelsOf(gamma), channelsOf(z)];
  const mass = g.add(g.reduceSum(gamma, { axes: [0] }), 1e-6); // [K]
  const means = g.div(g.matMul(gamma, z, { transposeA: true }), g.reshape(mass, [k, 1]));
  const deviations = g.sub(g.reshape(z, [n, 1, d]), g.reshape(means, [1, k, d])); // [N,K,d]
  const byMixture = g.transpose(deviations, [1, 0, 2]); // [K,N,d]
  const weighted = g.mul(byMixture, g.reshape(g.transpose(gamma, [1, 0]), [k, n, 1]));
  const sums = g.matMul(weighted, byMixture, { transposeA: true }); // [K,d,d]
  return { shares: g.div(mass, n), means, covariances: ridged(g.div(sums, g.reshape(mass, [k, 1, 1])), ridge) };
}

function ridged(covariances: Value, ridge: number): Value {
  const d = covariances.shape[2] as number;
  const eye = g.along(
    Array.from({ length: d * d }, (_, i) => (i % (d + 1) === 0 ? ridge : 0)),
    0,
    1,
  );
  return g.add(covariances, g.reshape(eye, [1, d, d]));
}

/** The entry `[K]` of K matrices. */
const entry = (matrices: Value, i: number, j: number) => g.pick(g.pick(matrices, 2, j), 1, i);

/**
 * Energy −log Σ φ N(z; μ, Σ), `[N]`, equation 6. Σ = L Lᵀ by Cholesky, written out over the few dimensions of z: with
 * L y = z − μ the exponent is |y|² and log det Σ is twice the sum of log L_ii.
 */
export function energy(z: Value, { shares, means, covariances }: Mixture): Value {
  const [k, d] = means.shape as number[];
  const row = (v: Value) => g.reshape(v, [1, k]);
  const lower: Value[][] = [];
  for (let i = 0; i < d; i++) {
    lower.push([]);
    for (let j = 0; j <= i; j++) {
      let rest = entry(covariances, i, j);
      for (let m = 0; m < j; m++) rest = g.sub(rest, g.mul(lower[i][m], lower[j][m]));
      lower[i].push(i === j ? g.sqrt(g.maximum(rest, 1e-12)) : g.div(rest, lower[j][j]));
    }
  }
  const y: Value[] = []; // [N,K] each
  for (let i = 0; i < d; i++) {
    let rest = g.sub(g.slice(z, { 1: [i, i + 1] }), row(g.pick(means, 1, i)));
    for (let j = 0; j < i; j++) rest = g.sub(rest, g.mul(row(lower[i][j]), y[j]));
    y.push(g.div(rest, row(lower[i][i])));
  }
  const exponent = y.map(g.square).reduce((a, b) => g.add(a, b));
  const logRoot = lower.map((r, i) => g.log(r[i])).reduce((a, b) => g.add(a, b)); // ½ log det Σ, [K]
  const logShare = g.log(g.maximum(shares, 1e-12));
  const constants = row(g.sub(g.sub(logShare, logRoot), 0.5 * d * Math.log(2 * Math.PI)));
  return g.neg(g.logSumExp(g.sub(constants, g.mul(exponent, 0.5)), { axes: [1] }));
}

/** Sum of squared errors of each row, mean over the batch. */
const meanError = (x: Value, reconstruction: Value) =>
  g.reduceMean(g.reduceSum(g.square(g.sub(x, reconstruction)), { axes: [1] }));

/** Equation 7: L + λ1 E + λ2 Σ 1/Σ_kii. */
function jointLoss(options: Config, { net, x }: nn.StepContext): nn.StepResult {
  const { code, reconstruction } = compress(options, net('compression'), x);
  const z = represent(code, x, reconstruction);
  const mixture = mixtureOf(z, estimate(options, net('estimation'), z), options.ridge);
  const error = meanError(x, reconstruction);
  const mean = g.reduceMean(energy(z, mixture));
  const variances = Array.from({ length: channelsOf(z) }, (_, i) => entry(mixture.covariances, i, i));
  const penalty = variances.map((v) => g.reduceSum(g.div(1, v))).reduce((a, b) => g.add(a, b));
  const loss = g.add(g.add(error, g.mul(mean, options.energyWeight)), g.mul(penalty, options.covarianceWeight));
  return { loss, metrics: { error, energy: mean, spread: g.reduceMean(g.sqrt(variances[0])) } };
}

/** Adds the moments of a batch to those of the mixture. */
function addMoments(options: Config, { net, x }: nn.StepContext): nn.StepResult {
  const { code, reconstruction } = compress(options, net('compression').frozen(), x);
  const z = represent(code, x, reconstruction);
  const moments = momentsOf(z, estimate(options, net('estimation').frozen(), z));
  const sums = net('mixture');
  for (const name of ['mass', 'first', 'second'] as const) {
    const shape = moments[name].shape as number[];
    sums.update(name, g.add(sums.buffer(name, shape, nn.zerosInit), moments[name]));
  }
  return meanError(x, reconstruction);
}

/** The mixture that the sums of moments give, of codes of `d` numbers. */
function learntMixture({ mixtures: k, ridge }: Config, sums: nn.Scope, d: number): Mixture {
  const mass = sums.buffer('mass', [k], nn.zerosInit);
  const perMass = (name: string, shape: number[]) =>
    g.div(sums.buffer(name, shape, nn.zerosInit), g.reshape(g.maximum(mass, 1e-6), [k, 1]));
  const means = perMass('first', [k, d]);
  const products = g.mul(g.reshape(means, [k, d, 1]), g.reshape(means, [k, 1, d]));
  const covariances = ridged(g.sub(g.reshape(perMass('second', [k, d * d]), [k, d, d]), products), ridge);
  return { shares: g.div(mass, g.reduceSum(mass)), means, covariances };
}

/**
 * DAGMM: an autoencoder and a Gaussian mixture over its code and its reconstruction error, trained together; the score
 * is the energy, −log of the mixture's density (Zong et al., ICLR 2018).
 * Rows of tables only. Scoring is one pass through small dense layers.
 */
export const dagmm = defineModel({
  name: 'dagmm',
  title: 'Deep autoencoding Gaussian mixture',
  idea: 'An autoencoder and a mixture of Gaussians over its code and its error, trained together; the energy is the score.',
  paper: 'Zong et al., Deep autoencoding Gaussian mixture model, ICLR 2018.',
  learning: 'one-class',
  inputs: ['table'],
  learns: 'gradient',
  config,
  presets: {
    // Ours, chosen by how held-out attack rows are separated from defects made of them: a ridge of 1e-5 does better than
    // 1e-3, 1e-4 and 1e-6. The energy then outweighs the error: reconstructions stay near the mean row.
    kdd: {
      layers: '60-30-10-1',
      estimation: 10,
      mixtures: 4,
      ridge: 1e-5,
      epochs: 10,
      batchSize: 256,
      learningRate: 1e-3,
    },
    'kdd-published': {
      layers: '60-30-10-1',
      estimation: 10,
      mixtures: 4,
      epochs: 200,
      batchSize: 1024,
      learningRate: 1e-4,
    },
    thyroid: { layers: '12-4-1', estimation: 10, mixtures: 2, epochs: 20000, batchSize: 1024, learningRate: 1e-4 },
    arrhythmia: { layers: '10-2', estimation: 10, mixtures: 2, epochs: 600, batchSize: 128, learningRate: 1e-3 },
    'arrhythmia-published': {
      layers: '10-2',
      estimation: 10,
      mixtures: 2,
      epochs: 10000,
      batchSize: 128,
      learningRate: 1e-4,
    },
  },
  tiny: { mixtures: 2, epochs: 60, batchSize: 64, learningRate: 5e-3 },

  unsuitable({ layers }, [inputs]) {
    const widths = widthsOf(layers, inputs);
    if (widths.includes(0)) return `widths of layers must be at least 1, got ${layers}.`;
    if (widths[widths.length - 1] > 16)
      return `the code must have at most 16 numbers, got ${widths[widths.length - 1]}.`;
    return undefined;
  },

  phases(options) {
    const { epochs, batchSize, learningRate } = options;
    const step: nn.Step = {
      name: 'fit',
      updates: ['compression', 'estimation'],
      optimizer: nn.adam({ learningRate }),
      clipNorm: CLIP,
      loss: (context) => jointLoss(options, context),
    };
    return [
      phase({ epochs, batchSize, steps: [step] }),
      pass('mixture', batchSize, (context) => addMoments(options, context)),
    ];
  },

  score(options, net, x) {
    const { code, reconstruction } = compress(options, net('compression'), x);
    const z = represent(code, x, reconstruction);
    const mixture = learntMixture(options, net('mixture'), channelsOf(z));
    return { map: g.square(g.sub(x, reconstruction)), score: energy(z, mixture), reconstruction }; // map [N,D]
  },
});
