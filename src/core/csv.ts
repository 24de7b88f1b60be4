/**
 * Writing CSV (RFC 4180). A field is quoted when it holds a comma, a quote or a line end. A text that a spreadsheet would take
 * for a formula, or that holds control characters, begins with an apostrophe and has `\u001b` and `\\` in place of such
 * characters and of backslashes; `csvValue` gives it back.
 */

const isNumber = (text: string) => /^-?(\d+(\.\d+)?(e[+-]?\d+)?|Infinity)$/i.test(text);
const isStrange = (text: string) => /^[=+\-@']|\p{Cc}/u.test(text) && !isNumber(text);

/** A value as a field of a row. */
export function csvField(text: string): string {
  const escaped = isStrange(text)
    ? `'${text.replace(/[\\\p{Cc}]/gu, (c) => (c === '\\' ? '\\\\' : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`))}`
    : text;
  return /[",\r\n]/.test(escaped) ? `"${escaped.replaceAll('"', '""')}"` : escaped;
}

/** The value of a field, once its quotes are away. */
export function csvValue(field: string): string {
  if (!field.startsWith("'")) return field;
  return field
    .slice(1)
    .replace(/\\(\\|u[0-9a-f]{4})/g, (_, code: string) =>
      code === '\\' ? code : String.fromCharCode(Number.parseInt(code.slice(1), 16)),
    );
}

/**
 * The fields of each row of CSV text, without their quotes; blank lines are left out. Undefined where a quote is not closed or
 * is followed by anything but a comma or a line end.
 */
export function csvRows(text: string): string[][] | undefined {
  const rows: string[][] = [];
  for (let at = 0; at < text.length; ) {
    const row: string[] = [];
    for (let more = true; more; ) {
      let field: string;
      if (text[at] === '"') {
        let end = at + 1;
        for (;;) {
          end = text.indexOf('"', end);
          if (end < 0) return undefined;
          if (text[end + 1] !== '"') break;
          end += 2;
        }
        field = text.slice(at + 1, end).replaceAll('""', '"');
        at = end + 1;
        if (at < text.length && !/[,\r\n]/.test(text[at])) return undefined;
      } else {
        const begin = at;
        while (at < text.length && text[at] !== ',' && text[at] !== '\n' && text[at] !== '\r') at++;
        field = text.slice(begin, at);
      }
      row.push(field);
      more = text[at] === ',';
      if (text[at] === '\r' && text[at + 1] === '\n') at++;
      at++;
    }
    if (row.length > 1 || row[0] !== '') rows.push(row);
  }
  return rows;
}

/** A table as CSV text, with its head and a line end after each row. */
export function csv(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, ...rows].map((row) => `${row.map(csvField).join(',')}\n`).join('');
}
