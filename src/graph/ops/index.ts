/** Every operator of the language, as functions over values. */
export { type ConvAttributes, type ConvOptions, convolution } from './conv/geometry.ts';
export * from './conv/operators.ts';
export * from './elementwise.ts';
export * from './gather.ts';
export * from './matmul.ts';
export * from './movement.ts';
export * from './normalize.ts';
export * from './pool.ts';
export * from './reduce.ts';
export * from './repeat.ts';
export * from './resize.ts';
