/** Checks of masks: there, of the size of their image, and marking what they should. */
import { type Check, count } from '../check.ts';

export const missingMask: Check = {
  code: 'missing-mask',
  find({ layout }) {
    const anomalous = layout.items.filter((item) => item.label === 'abnormal');
    const bare = anomalous.filter((item) => !item.mask);
    if (bare.length === 0) return [];
    const none = bare.length === anomalous.length;
    return [
      {
        severity: none ? 'note' : 'warning',
        message: none
          ? 'No anomalous image has a mask.'
          : `${bare.length} of ${count(anomalous.length, 'anomalous image')} ${bare.length === 1 ? 'has' : 'have'} no mask.`,
        advice: none
          ? 'Add masks under ground_truth/<type>/<name>_mask.png to measure whether anomalies are located, or go without.'
          : 'Add the missing masks: pixel metrics leave these images out.',
        paths: none ? [] : bare.map((item) => item.id),
      },
    ];
  },
};

export const maskSize: Check = {
  code: 'mask-size',
  find({ masks }) {
    const wrong = masks.filter(({ image: { image }, file: { image: mask } }) => {
      return image && mask && (image.height !== mask.height || image.width !== mask.width);
    });
    if (wrong.length === 0) return [];
    const size = (facts?: { height: number; width: number }) => `${facts?.width}x${facts?.height}`;
    return [
      {
        severity: 'error',
        message: `${count(wrong.length, 'mask is', 'masks are')} of another size than the image.`,
        advice: 'Draw or export them again at the size of the image: a resized mask marks the wrong pixels.',
        paths: wrong.map(({ file }) => file.id),
        remarks: wrong.map(({ image, file }) => `${size(file.image)}, image ${size(image.image)}`),
      },
    ];
  },
};

export const emptyMask: Check = {
  code: 'empty-mask',
  find({ masks }) {
    const empty = masks.filter(({ item, file }) => item.label === 'abnormal' && file.image?.positive === 0);
    if (empty.length === 0) return [];
    return [
      {
        severity: 'warning',
        message: `${count(empty.length, 'mask')} of anomalous images ${empty.length === 1 ? 'marks' : 'mark'} no pixel.`,
        advice: 'Mark the defect with values above 0, or move the image to the normal images.',
        paths: empty.map(({ file }) => file.id),
      },
    ];
  },
};

/** A mask of more than this share of an image is more likely inverted than right. */
const NEARLY_ALL = 0.9;

export const fullMask: Check = {
  code: 'full-mask',
  find({ masks }) {
    const full = masks.filter(({ file }) => (file.image?.positive ?? 0) > NEARLY_ALL);
    if (full.length === 0) return [];
    return [
      {
        severity: 'warning',
        message: `${count(full.length, 'mask marks', 'masks mark')} more than ${100 * NEARLY_ALL} % of the image.`,
        advice: 'Check whether they are inverted: pixels above 0 are anomalous, 0 is normal.',
        paths: full.map(({ file }) => file.id),
        remarks: full.map(({ file }) => `${(100 * file.image!.positive).toFixed(1)} %`),
      },
    ];
  },
};

export const maskOnNormal: Check = {
  code: 'mask-on-normal',
  find({ masks }) {
    const marked = masks.filter(({ item, file }) => item.label === 'normal' && (file.image?.positive ?? 0) > 0);
    if (marked.length === 0) return [];
    return [
      {
        severity: 'error',
        message: `${count(marked.length, 'normal image has a mask that marks', 'normal images have masks that mark')} pixels.`,
        advice: 'Decide which is right: move the image to its defect, or remove the mask.',
        paths: marked.map(({ item }) => item.id),
      },
    ];
  },
};
