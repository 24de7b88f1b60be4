/** Checks of the files themselves: empty, cut, undecodable, misnamed. */

import { endings } from '../../../formats/header.ts';
import { type Check, count } from '../check.ts';
import type { Examined, FileFacts } from '../examine.ts';

const allFiles = ({ images, masks }: Examined): FileFacts[] => [...images, ...masks].map(({ file }) => file);

export const emptyFile: Check = {
  code: 'empty-file',
  find(set) {
    const paths = allFiles(set).flatMap((file) => (file.sizeBytes === 0 && file.hash !== '' ? [file.id] : []));
    if (paths.length === 0) return [];
    return [
      {
        severity: 'error',
        message: `${count(paths.length, 'file has', 'files have')} no bytes.`,
        advice: 'Copy them again from the source, or remove them.',
        paths,
      },
    ];
  },
};

export const cutFile: Check = {
  code: 'cut-file',
  find(set) {
    const paths = allFiles(set).flatMap((file) => (file.sizeBytes > 0 && file.isCut ? [file.id] : []));
    if (paths.length === 0) return [];
    return [
      {
        severity: 'error',
        message: `${count(paths.length, 'file ends', 'files end')} before the image does.`,
        advice: 'Copy them again from the source, or remove them: the missing part would be grey or black.',
        paths,
      },
    ];
  },
};

export const unreadableFile: Check = {
  code: 'unreadable-file',
  find(set) {
    const broken = allFiles(set).filter((file) => !file.image && !file.isCut && (file.sizeBytes > 0 || !file.hash));
    if (broken.length === 0) return [];
    return [
      {
        severity: 'error',
        message: `${count(broken.length, 'file')} cannot be decoded.`,
        advice: 'Replace or remove them; a run stops at the first.',
        paths: broken.map((file) => file.id),
        remarks: broken.map((file) =>
          file.format ? `${file.format}: ${file.problem}` : 'its first bytes are not those of an image',
        ),
      },
    ];
  },
};

export const wrongExtension: Check = {
  code: 'wrong-extension',
  find(set) {
    const wrong = allFiles(set).filter(({ id, format }) => {
      const ending = /\.([^.]*?)(:\d+)?$/.exec(id)?.[1] ?? ''; // of a page too
      return format && !endings[format].includes(ending.toLowerCase());
    });
    if (wrong.length === 0) return [];
    return [
      {
        severity: 'warning',
        message: `${count(wrong.length, 'file is', 'files are')} of another format than the file extension.`,
        advice: 'Rename them: oddity goes by the content, but other programs go by the name.',
        paths: wrong.map((file) => file.id),
        remarks: wrong.map((file) => `is ${file.format}`),
      },
    ];
  },
};

export const hiddenImage: Check = {
  code: 'hidden-image',
  find({ others }) {
    const images = [...others].filter(([, format]) => format !== undefined);
    if (images.length === 0) return [];
    return [
      {
        severity: 'warning',
        message: `${count(images.length, 'image is', 'images are')} not used because the file extension is not that of an image.`,
        advice: 'Give them the extension of their format to use them.',
        paths: images.map(([id]) => id),
        remarks: images.map(([, format]) => `is ${format}`),
      },
    ];
  },
};
