/** The routes of Studio: its page, the key that opens it, and the interface that the page uses, below `/api`. */
import { Hono } from 'hono';
import type { Words } from '../../core/text.ts';
import type { Catalogue } from '../../server/catalogue.ts';
import type { Access } from '../access.ts';
import { OpenRuns } from '../inspect/open-runs.ts';
import type { Project } from '../project.ts';
import type { Projects } from '../projects.ts';
import { changeRoutes } from './changes.ts';
import { dataRoutes } from './data.ts';
import { evaluateRoutes } from './evaluate.ts';
import { inspectRoutes } from './inspect.ts';
import { jobRoutes } from './jobs.ts';
import { liveRoutes } from './live.ts';
import { pageRoutes } from './page.ts';
import { projectRoutes } from './projects.ts';
import { shipRoutes } from './ship.ts';

/** What the routes share. */
export interface StudioContext {
  readonly projects: Projects;
  readonly catalogue: Catalogue;
  readonly access: Access;
  /** In which commands and options are written. */
  readonly words: Words;
  /** Bytes of a file that comes through the page. */
  readonly maxUpload: number;
  /** Folder of the built page. */
  readonly page: string;
}

/** Routes below `/api/projects/:project` find the project here. */
export type ProjectEnv = { Variables: { project: Project } };

export function studioRoutes(context: StudioContext): Hono {
  const app = new Hono();
  app.get('/open', (c) => context.access.enter(c));
  app.route('/api/projects', projectRoutes(context));

  const project = new Hono<ProjectEnv>();
  project.use(async (c, next) => {
    c.set('project', await context.projects.open(c.req.param('project')!));
    await next();
  });
  project.route('/changes', changeRoutes(context));
  project.route('/', dataRoutes(context));
  project.route('/', jobRoutes(context));
  const runs = new OpenRuns(context.projects.ended);
  project.route('/', evaluateRoutes(context, runs));
  project.route('/', inspectRoutes(context, runs));
  project.route('/', liveRoutes(context));
  project.route('/', shipRoutes(context));
  app.route('/api/projects/:project', project);

  app.route('/', pageRoutes(context.page));
  return app;
}
