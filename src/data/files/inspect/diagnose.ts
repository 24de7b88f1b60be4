/** Every check of an inspection, and how they are run. A new check is a function in `checks` and its line here. */
import type { Check, Finding } from './check.ts';
import { duplicates, nearDuplicates } from './checks/duplicates.ts';
import { cutFile, emptyFile, hiddenImage, unreadableFile, wrongExtension } from './checks/files.ts';
import { longImages, mixedModes, mixedSizes, narrowRange } from './checks/images.ts';
import { emptyMask, fullMask, maskOnNormal, maskSize, missingMask } from './checks/masks.ts';
import { suspiciousNormals } from './checks/normals.ts';
import { fewNormals, fewTestNormals, noAnomalies, tinyTypes, unbalanced } from './checks/parts.ts';
import type { Examined } from './examine.ts';

/** All checks, in the order in which their findings of one severity are shown. */
export const checks: readonly Check[] = [
  emptyFile,
  cutFile,
  unreadableFile,
  wrongExtension,
  hiddenImage,
  fewNormals,
  noAnomalies,
  fewTestNormals,
  unbalanced,
  tinyTypes,
  missingMask,
  maskSize,
  maskOnNormal,
  emptyMask,
  fullMask,
  mixedSizes,
  mixedModes,
  longImages,
  narrowRange,
  duplicates,
  nearDuplicates,
  suspiciousNormals,
];

/** A finding and the code of its check; what the layout warned of has the code of the warning. */
export type Diagnosis = Finding & { readonly check: string };

const order = ['error', 'warning', 'note'];

/** Everything that the layout and the checks found, the gravest first. */
export function diagnose(set: Examined): Diagnosis[] {
  const fromLayout = set.layout.warnings.map(({ code, message, paths }): Diagnosis => {
    const [found, ...advice] = message.split(/(?<=\.) /);
    const severity = code === 'not-images' ? 'note' : 'warning';
    return { check: code, severity, message: found, advice: advice.join(' '), paths };
  });
  const found = checks.flatMap(({ code, find }) => find(set).map((finding) => ({ check: code, ...finding })));
  return [...found, ...fromLayout].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}
