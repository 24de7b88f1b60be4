import { Hono } from 'hono';
import type { ProjectEnv, StudioContext } from './index.ts';

export function shipRoutes(_: StudioContext): Hono<ProjectEnv> {
  return new Hono<ProjectEnv>();
}
