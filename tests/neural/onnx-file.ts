/**
 * Writes graphs in the ONNX format: the few fields that small graphs need (onnx.proto3 of ONNX 1.8), in the wire format of protocol buffers.
 */

const VARINT = 0;
const BYTES = 2;
const IR_VERSION = 7;
const OPERATORS_VERSION = 13;

/** Types of elements. */
const FLOAT = 1;
const INT64 = 7;
export const DOUBLE = 11;

/** A value that goes into a graph or comes out. A dimension that is a name stands for any size. */
export interface GraphValue {
  name: string;
  dims: readonly (number | string)[];
  type?: number;
}

/** A constant. */
export interface GraphConstant {
  name: string;
  dims: readonly number[];
  data: Float32Array | BigInt64Array;
}

export interface GraphNode {
  operator: string;
  inputs: readonly string[];
  outputs: readonly string[];
}

export interface SmallGraph {
  inputs: readonly GraphValue[];
  outputs: readonly GraphValue[];
  constants?: readonly GraphConstant[];
  nodes: readonly GraphNode[];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

const number = (field: number, value: number): Buffer =>
  Buffer.from([...varint((field << 3) | VARINT), ...varint(value)]);

function bytes(field: number, value: Uint8Array | string | readonly Uint8Array[]): Buffer {
  const body =
    typeof value === 'string' ? Buffer.from(value) : value instanceof Uint8Array ? value : Buffer.concat(value);
  return Buffer.concat([Buffer.from([...varint((field << 3) | BYTES), ...varint(body.length)]), body]);
}

function valueInfo(field: number, { name, dims, type = FLOAT }: GraphValue): Buffer {
  const shape = dims.map((size) => bytes(1, typeof size === 'number' ? number(1, size) : bytes(2, size)));
  const tensor = bytes(1, [number(1, type), bytes(2, shape)]);
  return bytes(field, [bytes(1, name), bytes(2, [tensor])]);
}

function constant({ name, dims, data }: GraphConstant): Buffer {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const type = data instanceof Float32Array ? FLOAT : INT64;
  return bytes(5, [...dims.map((size) => number(1, size)), number(2, type), bytes(8, name), bytes(9, raw)]);
}

const node = ({ operator, inputs, outputs }: GraphNode): Buffer =>
  bytes(1, [...inputs.map((name) => bytes(1, name)), ...outputs.map((name) => bytes(2, name)), bytes(4, operator)]);

/** Returns the bytes of a graph as a file. */
export function onnxFile({ inputs, outputs, constants = [], nodes }: SmallGraph): Buffer {
  const graph = [
    ...nodes.map(node),
    bytes(2, 'small'),
    ...constants.map(constant),
    ...inputs.map((value) => valueInfo(11, value)),
    ...outputs.map((value) => valueInfo(12, value)),
  ];
  return Buffer.concat([
    number(1, IR_VERSION),
    bytes(7, graph),
    bytes(8, [bytes(1, ''), number(2, OPERATORS_VERSION)]),
  ]);
}
