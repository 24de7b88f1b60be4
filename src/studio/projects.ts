/** The projects of a folder: found, made, opened when they are first asked for, closed together. Node only. */
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../core/errors.ts';
import { silent } from '../core/events.ts';
import type { QueueListener } from '../jobs/job.ts';
import { openLocalQueue } from '../jobs/local.ts';
import { openRedisQueue } from '../jobs/redis/queue.ts';
import { Problem } from '../server/problem.ts';
import { openProject, type Project, projectFiles } from './project.ts';
import { jobStore } from './store/jobs.ts';

export interface Projects {
  /** That of all of them. */
  readonly folder: string;
  /** Names, in their order. */
  list(): Promise<string[]>;
  create(name: string): Promise<Project>;
  /** Throws Problem 404 where there is none of that name. */
  open(name: string): Promise<Project>;
  /** Moves a project's folder to `.removed` beside the others, so that nothing is lost by a click. */
  remove(name: string): Promise<void>;
  /** Aborted once Studio ends. */
  readonly ended: AbortSignal;
  end(): void;
  close(): Promise<void>;
}

/** What a name may be: it is a folder and a part of addresses. */
const allowed = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u;

/** Without `queue`, the address of a Redis, jobs are kept and done here. */
export async function openProjects(
  root: string,
  { workers, queue }: { readonly workers: number; readonly queue?: string },
): Promise<Projects> {
  const opened = new Map<string, Promise<Project>>();
  const ending = new AbortController();

  const list = async () => {
    const entries = await readdir(root, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() && allowed.test(entry.name));
    const found = await Promise.all(
      folders.map(async ({ name }) =>
        (await readdir(join(root, name))).includes('project.sqlite') ? name : undefined,
      ),
    );
    return found.filter((name) => name !== undefined).sort((a, b) => a.localeCompare(b));
  };

  const openIn = (name: string): Promise<Project> => {
    const before = opened.get(name);
    if (before) return before;
    const folder = join(root, name);
    const opening = openProject(name, folder, (database, changes) => {
      const listener: QueueListener = {
        onJob(job) {
          changes.tell('jobs', { id: job.id, state: job.state });
          if (job.run !== undefined && job.state !== 'waiting') changes.tell('runs', { run: job.run });
        },
        onEvent: (id, event) => changes.tell('progress', { id, event }),
      };
      return queue === undefined
        ? openLocalQueue(jobStore(database), { ...listener, workers, logs: projectFiles(folder).jobs })
        : openRedisQueue({ ...listener, url: queue, name: folder, onConnection: silent }); // Studio's own workers tell of it
    });
    opened.set(name, opening);
    opening.catch(() => opened.delete(name));
    return opening;
  };

  const open = async (name: string) => {
    if (!allowed.test(name) || !(await list()).includes(name)) {
      throw new Problem(404, 'unknown-project', `There is no project named "${name}" in this folder.`);
    }
    return openIn(name);
  };

  return {
    folder: root,
    list,
    async create(name) {
      if (!allowed.test(name)) {
        throw new ConfigError(
          'project-name',
          `The name of a project must begin with a letter or digit and have at most 64 letters, digits, spaces, dots, hyphens and underscores, got "${name}".`,
        );
      }
      if ((await list()).includes(name))
        throw new Problem(409, 'project-exists', `There is a project ${name} already.`);
      await mkdir(join(root, name), { recursive: true });
      return openIn(name);
    },
    open,
    async remove(name) {
      const project = await open(name);
      await project.close();
      opened.delete(name);
      const place = join(root, '.removed');
      await mkdir(place, { recursive: true });
      await rename(project.folder, join(place, `${name}-${Date.now()}`));
    },
    ended: ending.signal,
    end: () => ending.abort(),
    async close() {
      ending.abort();
      for (const project of await Promise.allSettled(opened.values())) {
        if (project.status === 'fulfilled') await project.value.close();
      }
    },
  };
}
