/** The second network of DRAEM (Zavrtanik et al. 2021) and DiffusionAD: which pixels of an image are a defect. */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import { convUnet, plainParts } from './conv-unet.ts';

/**
 * The logit of a defect at each pixel, `[N, 1, H, W]`, from the image and its reconstruction without defects, both
 * `[N, C, H, W]`: a U-Net with skips. Sides must be multiples of 2 to the number of levels less one.
 */
export function defectLogit(net: nn.Scope, reconstruction: Value, image: Value, widths: readonly number[]): Value {
  const h = convUnet(net, g.concat([reconstruction, image], 1), { ...plainParts, widths, skips: true });
  const both = nn.conv(net.at('out'), h, { filters: 2, kernel: 3, padding: 1 });
  // A softmax of two logits is a sigmoid of their difference.
  return g.sub(g.slice(both, { 1: [1, 2] }), g.slice(both, { 1: [0, 1] }));
}

/** Focal loss (Lin et al. 2017) of logits with a mask of 0 and 1: mean of −(1 − p)^γ log p, p the probability of what is right. */
export function focalLoss(logit: Value, mask: Value, gamma: number): Value {
  const right = g.mul(logit, g.sub(g.mul(mask, 2), 1)); // the logit of being right
  const p = g.clip(g.sigmoid(right), 1e-6, 1 - 1e-6);
  return g.reduceMean(g.mul(g.pow(g.sub(1, p), gamma), g.softplus(g.neg(right))));
}
