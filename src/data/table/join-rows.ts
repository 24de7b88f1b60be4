/** Rows of several files with the same columns as those of one. */
import { DataError } from '../../core/errors.ts';
import type { Rows } from './rows.ts';

/**
 * Puts the rows of the files one after the other; columns are found by their names, in the order of the first file.
 * `name` names them together.
 * @throws DataError `heads-differ` for a file with other columns.
 */
export function joinRows(files: readonly Rows[], name: string): Rows {
  const [first] = files;
  if (files.length === 1) return first;
  const places = files.map((file) => first.heads.map((head) => file.heads.indexOf(head)));
  for (const [i, { file, heads }] of files.entries()) {
    const lacks = first.heads.filter((_, c) => places[i][c] < 0);
    const more = heads.filter((head) => !first.heads.includes(head));
    if (lacks.length === 0 && more.length === 0) continue;
    const differs = [
      lacks.length > 0 ? `lacks ${lacks.slice(0, 6).join(', ')}` : '',
      more.length > 0 ? `has ${more.slice(0, 6).join(', ')}` : '',
    ];
    throw new DataError(
      'heads-differ',
      `${name}: all files of rows must have the same columns, but ${file} ${differs.filter((d) => d !== '').join(' and ')} unlike ` +
        `${first.file}. Move it elsewhere, or name its columns as in the others.`,
    );
  }
  const starts = [0];
  for (const { rows } of files) starts.push(starts[starts.length - 1] + rows);
  const rows = starts[files.length];
  let last = 0;
  /** The file of a row; rows are asked for one after the other. */
  const at = (row: number): number => {
    while (row < starts[last]) last--;
    while (row >= starts[last + 1]) last++;
    return last;
  };
  const numbers = new Uint32Array(rows);
  for (const [i, file] of files.entries()) numbers.set(file.numbers, starts[i]);
  const about = [...new Set(files.flatMap((file) => file.about ?? []))];
  return {
    file: name,
    heads: first.heads,
    kinds: first.kinds,
    rows,
    numbers,
    ...(first.decimal && { decimal: first.decimal }),
    about: [`${files.length} files with the same columns`, ...about].join('; '),
    where: (row) => `${files[at(row)].file} ${files[at(row)].where(row - starts[at(row)])}`,
    number: (row, column) => files[at(row)].number(row - starts[at(row)], places[at(row)][column]),
    show: (row, column) => files[at(row)].show(row - starts[at(row)], places[at(row)][column]),
    texts(column) {
      const values: string[] = [];
      const codes = new Map<string, number>();
      const own = files.map((file, i) => file.texts(places[i][column]));
      const code = (row: number) => {
        const text = own[at(row)].values[own[at(row)].code(row - starts[at(row)])];
        const known = codes.get(text) ?? values.push(text) - 1;
        codes.set(text, known);
        return known;
      };
      return { values, code };
    },
  };
}
