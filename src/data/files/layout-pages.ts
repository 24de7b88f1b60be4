/** Files of several pages in a layout: every page becomes an item of its own. */

import { isAnnotation } from './annotation-files.ts';
import { count } from './explain-layout.ts';
import type { LayoutItem, LayoutWarning } from './layout.ts';
import { pagePaths } from './page-path.ts';

/** Items by page, with what is to be said of them; a mask of as many pages is given page by page. */
export function withPages(items: readonly LayoutItem[]): {
  items: LayoutItem[];
  /** Empty where every file is one image. */
  remark: string;
  warnings: LayoutWarning[];
} {
  let files = 0;
  const unpaired: string[] = [];
  const paged = items.flatMap((item): LayoutItem[] => {
    const pages = pagePaths(item.path);
    const masks = item.mask === undefined ? [] : isAnnotation(item.mask) ? [item.mask] : pagePaths(item.mask);
    if (masks.length > 0 && masks.length !== pages.length) {
      unpaired.push(item.id);
      masks.length = 0;
    }
    if (pages.length > 1) files++;
    const { mask: _, ...bare } = item;
    return pages.map((path, k) => ({
      ...bare,
      path,
      id: pages.length > 1 ? `${item.id}:${k + 1}` : item.id,
      ...(masks.length > 0 && { mask: masks[k] }),
    }));
  });
  const pages = paged.length - items.length + files;
  const remark =
    files === 0
      ? ''
      : `${count(files, 'file')} of several pages ${files === 1 ? 'gives' : 'give'} ${pages} of the images`;
  const warnings: LayoutWarning[] = [
    {
      code: 'mask-pages',
      message:
        'Masks with another number of pages than their image are not used. Save as many pages in the same order.',
      paths: unpaired,
    },
  ];
  return { items: paged, remark, warnings: warnings.filter(({ paths }) => paths.length > 0) };
}
