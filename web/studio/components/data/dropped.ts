/** Files that were dropped or chosen, with their folders: the layout of a data set lies in these. */

export interface Named {
  /** With `/`, from what was dropped on. */
  readonly path: string;
  readonly file: File;
}

/** Hidden files are left where they are: a system's own, which no data set needs. */
const isHidden = (path: string) => path.split('/').some((part) => part.startsWith('.'));

export const namedInputs = ({ files }: HTMLInputElement): Named[] =>
  [...(files ?? [])]
    .map((file) => ({ path: file.webkitRelativePath || file.name, file }))
    .filter(({ path }) => !isHidden(path));

/** What a drop holds, folders opened. */
export async function namedFiles({ items, files }: DataTransfer): Promise<Named[]> {
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return [...files].map((file) => ({ path: file.name, file }));
  const found = await Promise.all(entries.map((entry) => below(entry, '')));
  return found.flat().filter(({ path }) => !isHidden(path));
}

async function below(entry: FileSystemEntry, folder: string): Promise<Named[]> {
  const path = folder + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((give, refuse) => (entry as FileSystemFileEntry).file(give, refuse));
    return [{ path, file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Named[] = [];
  for (;;) {
    // A reader gives a hundred entries at a time.
    const some = await new Promise<FileSystemEntry[]>((give, refuse) => reader.readEntries(give, refuse));
    if (some.length === 0) return found;
    for (const one of some) found.push(...(await below(one, `${path}/`)));
  }
}
