/** Data: sources of items, data sets by name, splits by protocol, batches in a seeded order, and file formats. */
export * from './files/index.ts';
export * from './pure.ts';
