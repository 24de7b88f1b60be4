/** Numbers as people and spreadsheets write them: decimal commas, groups of thousands, per cent, money. */

/** How the numbers of a column are written, where not as programs write them. */
export const numberForms = ['decimal-comma', 'thousands', 'percent', 'money'] as const;
export type NumberForm = (typeof numberForms)[number];

const shapes: Readonly<Record<NumberForm, RegExp>> = {
  'decimal-comma': /^[-+−]?(?:\d+|\d{1,3}(?:[.  '’]\d{3})+)?(?:,\d+)?(?:e[+-]?\d+)?$/i,
  thousands: /^[-+−]?(?:\d+|\d{1,3}(?:[,  '’]\d{3})+)(?:\.\d*)?(?:e[+-]?\d+)?$/i,
  percent: /^[-+−]?(?:\d+\.?\d*|\.\d+)\s?%$/,
  money:
    /^[-+−]?\s?(?:[$€£¥]|USD|EUR|GBP)\s?[+-]?(?:\d+|\d{1,3}(?:[,  '’]\d{3})+)(?:\.\d*)?$|^[-+−]?(?:\d+|\d{1,3}(?:[,  '’]\d{3})+)(?:\.\d*)?\s?(?:[$€£¥]|USD|EUR|GBP)$/i,
};

/** A number in a form, or undefined. A percentage keeps its number: 12 % is 12. */
export function readForm(text: string, form: NumberForm): number | undefined {
  if (!shapes[form].test(text) || !/\d/.test(text)) return undefined;
  const plain = text.replace('−', '-').replace(/[%$€£¥\s '’]|USD|EUR|GBP/gi, '');
  const number = Number(
    form === 'decimal-comma' ? plain.replaceAll('.', '').replace(',', '.') : plain.replaceAll(',', ''),
  );
  return Number.isNaN(number) ? undefined : number;
}

/**
 * The form in which all these texts are numbers, of cells that are none as they stand. `1,234` alone is both; then
 * `decimal` says what a comma is, which a separator `;` suggests.
 */
export function formOf(texts: readonly string[], decimal?: ',' | '.'): NumberForm | undefined {
  const fits = numberForms.filter((form) => texts.every((text) => readForm(text, form) !== undefined));
  if (decimal === ',' && fits.includes('decimal-comma')) return 'decimal-comma';
  if (decimal === '.') return fits.find((form) => form !== 'decimal-comma');
  return fits.includes('decimal-comma') && fits.includes('thousands') ? 'thousands' : fits[0];
}

/** How a form is told, with an example of what was found. */
export const formWords: Readonly<Record<NumberForm, string>> = {
  'decimal-comma': 'numbers with a decimal comma',
  thousands: 'numbers with groups of thousands',
  percent: 'percentages',
  money: 'amounts of money',
};
