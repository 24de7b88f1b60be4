/** Copies files into a folder, whole or not at all. */
import { constants } from 'node:fs';
import { copyFile, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Refused, type Sink } from './sink.ts';

export function folderSink(folder: string): Sink {
  return {
    name: 'folder',
    async deliver({ record, file }) {
      const place = join(folder, record.path);
      await mkdir(dirname(place), { recursive: true });
      await copyFile(file, `${place}.tmp`, constants.COPYFILE_FICLONE).catch((error) => {
        if (error.code === 'ENOENT') throw new Refused(`${file} is gone.`);
        throw error;
      });
      await rename(`${place}.tmp`, place);
    },
  };
}
