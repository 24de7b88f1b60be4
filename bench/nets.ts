/** The networks whose training step is timed, ours and (in bench/pytorch) the same in PyTorch. */

import type { Value } from '../src/graph/index.ts';
import * as g from '../src/graph/index.ts';
import * as nn from '../src/nn/index.ts';
import type { BenchNet } from './steps.ts';

/** Three stride-2 convolutions and three transposed ones, batch norm and ReLU between, sigmoid, MSE, Adam. */
function stridedAutoencoder(scope: nn.Scope, x: Value, width: number): Value {
  const channels = Number(x.shape[1]);
  let h = x;
  [width, 2 * width, 4 * width].forEach((filters, i) => {
    const at = scope.at(`down${i}`);
    h = g.relu(nn.batchNorm(at.at('norm'), nn.conv(at, h, { filters, kernel: 4, stride: 2, padding: 1 })));
  });
  [2 * width, width, channels].forEach((filters, i) => {
    const at = scope.at(`up${i}`);
    h = nn.convTranspose(at, h, { filters, kernel: 4, stride: 2, padding: 1 });
    h = i < 2 ? g.relu(nn.batchNorm(at.at('norm'), h)) : g.sigmoid(h);
  });
  return h;
}

/** The autoencoder of seed 000 on 28 × 28. */
function seedAutoencoder(scope: nn.Scope, x: Value): Value {
  let h = g.relu(nn.conv(scope.at('conv1'), x, { filters: 16, kernel: 3, stride: 2, padding: 1 }));
  h = g.relu(nn.conv(scope.at('conv2'), h, { filters: 32, kernel: 3, stride: 2, padding: 1 }));
  h = nn.conv(scope.at('conv3'), h, { filters: 64, kernel: 7 });
  h = g.relu(nn.convTranspose(scope.at('up1'), h, { filters: 32, kernel: 7 }));
  h = g.relu(nn.convTranspose(scope.at('up2'), h, { filters: 16, kernel: 3, stride: 2, padding: 1, outputPadding: 1 }));
  return g.tanh(
    nn.convTranspose(scope.at('up3'), h, { filters: 1, kernel: 3, stride: 2, padding: 1, outputPadding: 1 }),
  );
}

const phase = (net: (scope: nn.Scope, x: Value) => Value): nn.Phase => ({
  name: 'fit',
  steps: [
    {
      name: 'fit',
      updates: ['net'],
      optimizer: nn.adam({ learningRate: 1e-3 }),
      loss: ({ net: group, x }) => nn.l2(net(group('net'), x), x),
    },
  ],
});

export const nets: readonly BenchNet[] = [
  {
    name: 'cae 64x3x32x32 width 32',
    shape: [64, 3, 32, 32],
    phase: phase((s, x) => stridedAutoencoder(s, x, 32)),
    onWasm: true,
  },
  { name: 'cae 64x3x32x32 width 64', shape: [64, 3, 32, 32], phase: phase((s, x) => stridedAutoencoder(s, x, 64)) },
  { name: 'cae 16x3x128x128 width 32', shape: [16, 3, 128, 128], phase: phase((s, x) => stridedAutoencoder(s, x, 32)) },
  { name: 'seed-000 128x1x28x28', shape: [128, 1, 28, 28], phase: phase(seedAutoencoder) },
];
