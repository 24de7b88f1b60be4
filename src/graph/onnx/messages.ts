/**
 * ONNX as plain data: the part of onnx.proto (IR version 8+) that oddity reads and writes, with field numbers.
 * `write.ts` and `read.ts` turn these records into bytes and back.
 */
import type { Dim } from '../../core/shape.ts';
import type { DType, Tensor } from '../../core/tensor.ts';

/** An attribute of a node; the key names the ONNX attribute type. */
export type OnnxAttribute =
  | { f: number }
  | { i: number }
  | { s: string }
  | { t: Tensor }
  | { g: OnnxGraph }
  | { floats: readonly number[] }
  | { ints: readonly number[] }
  | { strings: readonly string[] };

export interface OnnxNode {
  op: string;
  /** Operator set; empty for the ONNX standard. */
  domain?: string;
  name?: string;
  inputs: string[];
  outputs: string[];
  attributes: Record<string, OnnxAttribute>;
}

export interface OnnxValue {
  name: string;
  dtype: DType | 'float16' | 'string' | 'other';
  /** Undefined when the rank is unknown; a string is a symbolic size. */
  shape?: readonly Dim[];
}

export interface OnnxInitializer {
  name: string;
  tensor: Tensor;
  /**
   * The file holds the values in this type, which has no tensor of ours: those of a float32 as float16, rounded, and those of an
   * int32 from −128 to 127 as int8.
   */
  storedAs?: 'float16' | 'int8';
}

export interface OnnxGraph {
  name: string;
  nodes: OnnxNode[];
  inputs: OnnxValue[];
  outputs: OnnxValue[];
  initializers: OnnxInitializer[];
}

export interface OnnxModel {
  irVersion: number;
  opsets: { domain: string; version: number }[];
  producer: string;
  producerVersion: string;
  graph: OnnxGraph;
  /** Free text by key, kept in `metadata_props`. */
  metadata: Record<string, string>;
}
