import { CpnError } from '../common/errors.ts'
import { readFields } from '../common/protobuf.ts'
import type { ModelSignature, TensorInfo } from '../protocol/families.ts'

export interface OnnxModel extends ModelSignature {
  /** Some tensor has its data in another file. */
  externalData: boolean
}

/** What a walk through a file collects. protobuf merges repeated messages, so everything adds up. */
interface Findings {
  inputs: TensorInfo[]
  outputs: TensorInfo[]
  initializers: Set<string>
  externalData: boolean
}

const elementTypes: Record<number, string> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
}
const deepest = 64

/**
 * Reads inputs, outputs and where tensors are from the bytes of an ONNX file, without loading it. A type without a
 * name here is 'other', an open size null. Field numbers are those of onnx.proto3. Throws CPN_ERR_MODEL_INVALID for bytes that are no ONNX model.
 */
export function readOnnx(bytes: Uint8Array): OnnxModel {
  const found: Findings = { inputs: [], outputs: [], initializers: new Set(), externalData: false }
  try {
    readModel(bytes, found)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw invalid(`the file is no ONNX model: ${cause.message}`, cause)
  }
  if (found.outputs.length === 0) throw invalid('the file is no ONNX model: it has no graph with outputs')
  const inputs = found.inputs.filter(({ name }) => !found.initializers.has(name))
  return { inputs, outputs: found.outputs, externalData: found.externalData }
}

function readModel(bytes: Uint8Array, found: Findings): void {
  for (const field of readFields(bytes)) {
    if (field.number === 7) readMainGraph(field.bytes, found)
    // training_info and functions hold graphs and nodes of their own
    if (field.number === 20) readTraining(field.bytes, found)
    if (field.number === 25) readFunction(field.bytes, found)
  }
}

function readTraining(bytes: Uint8Array, found: Findings): void {
  for (const field of readFields(bytes)) if (field.number <= 2) readGraph(field.bytes, found, 0)
}

function readMainGraph(bytes: Uint8Array, found: Findings): void {
  readGraph(bytes, found, 0)
  for (const field of readFields(bytes)) {
    if (field.number === 5) found.initializers.add(readTensor(field.bytes, found))
    if (field.number === 11) found.inputs.push(readValue(field.bytes))
    if (field.number === 12) found.outputs.push(readValue(field.bytes))
  }
}

function readGraph(bytes: Uint8Array, found: Findings, depth: number): void {
  if (depth > deepest) throw new RangeError('graphs are nested too deep')
  for (const field of readFields(bytes)) {
    if (field.number === 1) readNode(field.bytes, found, depth)
    if (field.number === 5) readTensor(field.bytes, found)
    if (field.number === 15) readSparseTensor(field.bytes, found)
  }
}

function readFunction(bytes: Uint8Array, found: Findings): void {
  for (const field of readFields(bytes)) {
    if (field.number === 7) readNode(field.bytes, found, 0)
    if (field.number === 11) readAttribute(field.bytes, found, 0)
  }
}

function readNode(bytes: Uint8Array, found: Findings, depth: number): void {
  for (const field of readFields(bytes)) if (field.number === 5) readAttribute(field.bytes, found, depth)
}

function readAttribute(bytes: Uint8Array, found: Findings, depth: number): void {
  for (const field of readFields(bytes)) {
    if (field.number === 5 || field.number === 10) readTensor(field.bytes, found)
    if (field.number === 6 || field.number === 11) readGraph(field.bytes, found, depth + 1)
    if (field.number === 22 || field.number === 23) readSparseTensor(field.bytes, found)
  }
}

function readSparseTensor(bytes: Uint8Array, found: Findings): void {
  for (const field of readFields(bytes)) if (field.number <= 2) readTensor(field.bytes, found)
}

/** The tensor's name. */
function readTensor(bytes: Uint8Array, found: Findings): string {
  let name = ''
  for (const field of readFields(bytes)) {
    if (field.number === 8) name = text(field.bytes)
    if (field.number === 13 || (field.number === 14 && field.value !== 0)) found.externalData = true
  }
  return name
}

function readValue(bytes: Uint8Array): TensorInfo {
  const value: TensorInfo = { name: '', type: 'other', dims: [] }
  for (const field of readFields(bytes)) {
    if (field.number === 1) value.name = text(field.bytes)
    if (field.number === 2) readType(field.bytes, value)
  }
  return value
}

function readType(bytes: Uint8Array, value: TensorInfo): void {
  for (const type of readFields(bytes)) {
    if (type.number !== 1) continue
    for (const field of readFields(type.bytes)) {
      if (field.number === 1) value.type = elementTypes[field.value] ?? 'other'
      if (field.number === 2) value.dims = [...value.dims, ...readShape(field.bytes)]
    }
  }
}

function readShape(bytes: Uint8Array): (number | null)[] {
  return [...readFields(bytes)].filter((field) => field.number === 1).map((field) => readDim(field.bytes))
}

// A size of 0 is how some exporters say that it is open.
function readDim(bytes: Uint8Array): number | null {
  let size: number | null = null
  for (const field of readFields(bytes)) size = field.number === 1 && field.value > 0 ? field.value : null
  return size
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

function invalid(message: string, cause?: unknown): CpnError {
  return new CpnError('CPN_ERR_MODEL_INVALID', message, {
    cause,
    suggestions: ['Check that the file is a whole ONNX model (.onnx) and no web page or archive.'],
  })
}
