/** What a test writes into an ONNX file. Shapes: a number is a fixed size, a string a named dynamic one. */
export interface OnnxGraph {
  nodes: OnnxNode[]
  initializers: OnnxTensor[]
  inputs: OnnxValue[]
  outputs: OnnxValue[]
}

export interface OnnxValue {
  name: string
  dims: (number | string)[]
  /** 1 is float32, 7 int64. Default 1. */
  elementType?: number
}

export interface OnnxTensor {
  name: string
  dims: number[]
  data: Float32Array | BigInt64Array
  /** Path of a file that holds the data instead. */
  external?: string
}

export interface OnnxNode {
  op: string
  inputs: string[]
  outputs: string[]
  attributes?: Record<string, number | number[] | OnnxTensor | OnnxGraph>
}

/** The bytes of an ONNX model (IR 8 without another version, opset 13) that onnxruntime loads. */
export function encodeOnnx(graph: OnnxGraph, irVersion = 8): Buffer {
  const opset = bytesField(8, uintField(2, 13))
  return Buffer.concat([uintField(1, irVersion), textField(2, 'cpn-tests'), bytesField(7, encodeGraph(graph)), opset])
}

function encodeGraph(graph: OnnxGraph): Buffer {
  return Buffer.concat([
    ...graph.nodes.map((node) => bytesField(1, encodeNode(node))),
    textField(2, 'graph'),
    ...graph.initializers.map((tensor) => bytesField(5, encodeTensor(tensor))),
    ...graph.inputs.map((value) => bytesField(11, encodeValue(value))),
    ...graph.outputs.map((value) => bytesField(12, encodeValue(value))),
  ])
}

function encodeNode({ op, inputs, outputs, attributes = {} }: OnnxNode): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => textField(1, name)),
    ...outputs.map((name) => textField(2, name)),
    textField(4, op),
    ...Object.entries(attributes).map(([name, value]) => bytesField(5, encodeAttribute(name, value))),
  ])
}

function encodeAttribute(name: string, value: number | number[] | OnnxTensor | OnnxGraph): Buffer {
  if (typeof value === 'number') return Buffer.concat([textField(1, name), uintField(3, value), uintField(20, 2)])
  if (Array.isArray(value)) {
    return Buffer.concat([textField(1, name), ...value.map((item) => uintField(8, item)), uintField(20, 7)])
  }
  if ('nodes' in value) return Buffer.concat([textField(1, name), bytesField(6, encodeGraph(value)), uintField(20, 5)])
  return Buffer.concat([textField(1, name), bytesField(5, encodeTensor(value)), uintField(20, 4)])
}

function encodeTensor({ name, dims, data, external }: OnnxTensor): Buffer {
  const head = [
    ...dims.map((dim) => uintField(1, dim)),
    uintField(2, data instanceof Float32Array ? 1 : 7),
    textField(8, name),
  ]
  if (external === undefined) {
    return Buffer.concat([...head, bytesField(9, Buffer.from(data.buffer, data.byteOffset, data.byteLength))])
  }
  const location = Buffer.concat([textField(1, 'location'), textField(2, external)])
  return Buffer.concat([...head, bytesField(13, location), uintField(14, 1)])
}

function encodeValue({ name, dims, elementType = 1 }: OnnxValue): Buffer {
  const shape = dims.map((dim) => bytesField(1, typeof dim === 'number' ? uintField(1, dim) : textField(2, dim)))
  const tensorType = Buffer.concat([uintField(1, elementType), bytesField(2, Buffer.concat(shape))])
  return Buffer.concat([textField(1, name), bytesField(2, bytesField(1, tensorType))])
}

function uintField(field: number, value: number): Buffer {
  return Buffer.from([...varint(field * 8), ...varint(value)])
}

function textField(field: number, text: string): Buffer {
  return bytesField(field, Buffer.from(text))
}

function bytesField(field: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(bytes.length)]), bytes])
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [128 + (value % 128), ...varint(Math.floor(value / 128))]
}
