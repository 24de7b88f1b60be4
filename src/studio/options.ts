/** How Studio is started: one schema, from which flags, checks and words follow. */
import * as z from 'zod';

export const studioOptions = z.strictObject({
  folder: z.string().min(1).default('studio').describe('folder of the projects; it is made where there is none'),
  port: z.int().min(0).max(65_535).default(7860).describe('port to listen on; 0 takes a free one'),
  workers: z.int().min(1).max(16).default(1).describe('jobs that run at once, on this machine'),
  queue: z
    .string()
    .min(1)
    .optional()
    .describe('redis://… by which workers on other machines that share this folder do jobs as well'),
  threads: z.int().min(1).optional().describe('threads inside one operator; default all cores'),
  maxUpload: z.number().positive().default(512).describe('MiB of a file that comes through the page'),
});

/** Options of `openStudio`, as a caller gives them. */
export type StudioOptions = z.input<typeof studioOptions>;
