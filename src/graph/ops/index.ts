/** Every operator of the language, as functions over values. */
export * from './conv.ts';
export * from './elementwise.ts';
export * from './gather.ts';
export * from './matmul.ts';
export * from './movement.ts';
export * from './normalize.ts';
export * from './pool.ts';
export * from './reduce.ts';
export * from './repeat.ts';
export * from './resize.ts';
