/** The differentiable graph language: operators, gradients, ONNX. */
export { check } from './check.ts';
export { type EmitOptions, emitProgram, opset } from './emit.ts';
export { evaluate } from './evaluate.ts';
export { gradients } from './grad.ts';
export { constant, full, input } from './leaf.ts';
export { importOnnx, tensorsNeeded } from './onnx/import.ts';
export * from './onnx/messages.ts';
export { decodeModel } from './onnx/read.ts';
export { encodeModel } from './onnx/write.ts';
export { type Op, operators, type Target } from './op.ts';
export * from './ops/index.ts';
export { inputsOf, type Program } from './program.ts';
export { substitute } from './substitute.ts';
export { describe, type Node, type Type, topological, type Value } from './value.ts';
