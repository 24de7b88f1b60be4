/** Layers, losses, optimisers and training programs. */
export * from './activations.ts';
export * from './attention.ts';
export * from './diffusion.ts';
export * from './initializers.ts';
export * from './layers.ts';
export * from './losses.ts';
export * from './norms.ts';
export * from './optimizers.ts';
export * from './phase.ts';
export * from './recurrent.ts';
export * from './schedules.ts';
export * from './scope.ts';
export * from './spread.ts';
export * from './training.ts';
