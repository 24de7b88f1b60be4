import { join } from 'node:path';

/** Files and folders of a project. */
export function projectFiles(folder: string) {
  return {
    database: join(folder, 'project.sqlite'),
    /** A folder each, as the command line writes them. */
    runs: join(folder, 'runs'),
    /** Files that came through the page. */
    imports: join(folder, 'imports'),
    /** Lists and tables that runs were trained on, by their hashes. */
    versions: join(folder, 'versions'),
    /** What jobs said. */
    jobs: join(folder, 'jobs'),
    /** Masks that were drawn. */
    masks: join(folder, 'masks'),
    /** What can be made again: thumbnails, maps. */
    cache: join(folder, 'cache'),
    exports: join(folder, 'exports'),
    watch: join(folder, 'watch'),
  };
}
