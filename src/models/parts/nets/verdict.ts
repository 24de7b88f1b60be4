/** What a discriminator finds in a batch of items. */
import type { Value } from '../../../graph/value.ts';

export interface Verdict {
  /** Its last hidden layer, `[N, F]`, or a map of features. */
  readonly features: Value;
  /** One per item, larger for what looks real: `[N]`, or with axes of length 1 behind. */
  readonly logit: Value;
}
