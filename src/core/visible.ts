/**
 * Names come from users' files and may hold anything: codes that steer a terminal, line ends that fake a message, marks that turn
 * the direction of writing. Here they become letters that show what they are.
 */

/** Control characters but tab and line ends, and what turns the direction of writing or ends a line besides them. */
const strange = /(?![\t\n])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

const codeOf = (c: string) => {
  const code = c.charCodeAt(0);
  return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
};

/** A text of several lines without anything that steers: `\x1b[31m` in letters. */
export const visibleText = (text: string): string => text.replace(strange, codeOf);

/** The same for a message, whose own further lines are indented: any other line end came with a name. */
export const visibleMessage = (text: string): string => visibleText(text).replace(/\n(?! {2})/g, '\\n');

/** The same for a name or another text of one line. */
export const visible = (text: string): string =>
  visibleText(text).replace(/[\n\t]/g, (c) => (c === '\n' ? '\\n' : '\\t'));

/** JSON in ASCII where it would steer: the same values. */
export const visibleJson = (json: string): string =>
  json.replace(strange, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
