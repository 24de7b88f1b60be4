/**
 * The models by name, in a file that is loaded only when a page names one: bundlers then put the forty models beside the
 * page's own code, and a page that passes a model's value leaves the others out.
 */
export { findModel } from '../models/index.ts';
