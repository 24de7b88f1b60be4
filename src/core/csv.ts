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

/** A table as CSV text, with its head and a line end after each row. */
export function csv(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, ...rows].map((row) => `${row.map(csvField).join(',')}\n`).join('');
}
