/** Words for a shell: what a person may copy into one. */

/** A word as a shell takes it; what stands for a word, such as `<file>`, stays as it is. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./<>-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
