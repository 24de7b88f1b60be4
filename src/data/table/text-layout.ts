/** How the lines of a text file are a table: which separator, which line is the head, what stands above it. */

/** Lines that are looked at, and bytes in which they must lie. */
const GLANCE = { lines: 60, bytes: 2 ** 18 };
/** Lines that may stand above the head. */
const MOST_PREAMBLE = 30;

export interface TextLayout {
  readonly separator: string;
  /** Lines before the head. */
  readonly skip: number;
  /** A column more than the head names: before its first (names of rows, as R writes them) or behind its last. */
  readonly unnamed?: 'first' | 'last';
  /** What was understood, where that could surprise; as parts of a sentence. */
  readonly notes: readonly string[];
}

const separators = [',', ';', '\t', '|'];

/** Looks at the first lines of a file. */
export function textLayout(bytes: Uint8Array): TextLayout {
  const lines = firstLines(bytes);
  const said = /^sep=(.)$/i.exec(lines[0] ?? '');
  const first = said ? 1 : 0;
  const separator = said?.[1] === '\\t' ? '\t' : (said?.[1] ?? separatorOf(lines));
  const cells = lines.map((line) => (line.trim() === '' ? [] : cellsOf(line, separator)));
  const counts = cells.map((row) => row.length);
  const width = usualOf(counts.slice(first).filter((n) => n > 0));
  const head = headLine(cells, first, width);
  const notes = head > first ? [`the first ${head} lines are above the head and left out`] : [];
  const below = cells.slice(head + 1).filter((row) => row.length > 0);
  const isShort = below.length > 0 && counts[head] === width - 1 && below.every((row) => row.length === width);
  const unnamed = !isShort ? undefined : below.every((row) => row[width - 1].trim() === '') ? 'last' : 'first';
  return { separator, skip: head, ...(unnamed && { unnamed }), notes };
}

/** Line of the head: the first one, unless only notes stand above a later one that names columns. */
function headLine(cells: readonly string[][], first: number, width: number): number {
  const counts = cells.map((row) => row.length);
  const start = counts.findIndex((n, i) => i >= first && n > 0);
  if (start < 0 || width < 2 || (counts[start] >= width - 1 && counts[start] > 1)) return Math.max(start, first);
  const isText = (cell: string) => cell.trim() === '' || Number.isNaN(Number(cell));
  const head = cells.findIndex((row, i) => i > start && row.length === width && row.every(isText));
  const isNotes = counts.slice(start, head).every((n) => n <= Math.max(2, width / 2));
  const isBody = counts.slice(head).every((n) => n === 0 || n === width);
  return head > 0 && isNotes && isBody && head - start <= MOST_PREAMBLE ? head : start;
}

/** The separator that gives most lines the same number of cells, the larger number first. */
function separatorOf(lines: readonly string[]): string {
  const filled = lines.filter((line) => line.trim() !== '');
  const scores = separators.map((separator) => {
    const counts = filled.map((line) => cellsOf(line, separator).length);
    const width = usualOf(counts);
    const share = width < 2 ? 0 : counts.filter((n) => n === width).length / counts.length;
    // Decimal commas part the rows as evenly as semicolons do, but not the head.
    return { separator, score: share < 0.8 ? share : 1 + Number(counts[0] === width), width };
  });
  const best = scores.reduce((a, b) => (b.score > a.score || (b.score === a.score && b.width > a.width) ? b : a));
  return best.score > 0 ? best.separator : ',';
}

/** The value that comes most often; the larger of two. */
function usualOf(counts: readonly number[]): number {
  const tally = new Map<number, number>();
  for (const n of counts) tally.set(n, (tally.get(n) ?? 0) + 1);
  let usual = 0;
  for (const [n, times] of tally) {
    const most = tally.get(usual) ?? 0;
    if (times > most || (times === most && n > usual)) usual = n;
  }
  return usual;
}

/** Cells of a line; separators between quotes are none. */
function cellsOf(line: string, separator: string): string[] {
  const cells: string[] = [];
  let from = 0;
  let isQuoted = false;
  for (let i = 0; i <= line.length; i++) {
    if (line[i] === '"') isQuoted = !isQuoted;
    if (i < line.length && (isQuoted || line[i] !== separator)) continue;
    cells.push(line.slice(from, i));
    from = i + 1;
  }
  return cells;
}

function firstLines(bytes: Uint8Array): string[] {
  const text = new TextDecoder().decode(bytes.subarray(0, GLANCE.bytes));
  const lines = text.split('\n');
  // The last line may be cut where the glance ends.
  if (lines.length > 1 && (bytes.length > GLANCE.bytes || lines.at(-1) === '')) lines.pop();
  return lines.slice(0, GLANCE.lines).map((line) => line.replace(/\r$/, ''));
}
