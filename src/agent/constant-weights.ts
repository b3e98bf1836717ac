import { readFields, writeField } from '../common/protobuf.ts'

// Field numbers of onnx.proto3.
const versionField = 1
const graphField = 7
const initializerField = 5
const inputField = 11
const tensorName = 8
const valueName = 1

/** Before it, weights had to be listed as inputs, and were constant all the same. */
const firstVersionWithDefaults = 4

/**
 * The same ONNX model with its weights as constants. Some exporters list them among the inputs too, where they are
 * defaults that a caller may replace; the runtime then cannot fold normalisation and activation into the layers before
 * them, and UltraFace takes twice as long. Throws a RangeError for bytes that are no protobuf message.
 */
export function withConstantWeights(model: Uint8Array): Uint8Array {
  const version = readFields(model).find(({ number }) => number === versionField)?.value ?? 0
  if (version < firstVersionWithDefaults) return model
  return replace(model, (field) =>
    field.number === graphField ? writeField(graphField, withoutWeights(field.bytes)) : undefined,
  )
}

function withoutWeights(graph: Uint8Array): Uint8Array {
  const weights = new Set<string>()
  for (const { number, bytes } of readFields(graph))
    if (number === initializerField) weights.add(nameOf(bytes, tensorName))
  const isWeight = (bytes: Uint8Array) => weights.has(nameOf(bytes, valueName))
  return replace(graph, ({ number, bytes }) => (number === inputField && isWeight(bytes) ? [] : undefined))
}

/** A message in which some fields are others; undefined keeps one as it is. */
function replace(
  message: Uint8Array,
  other: (field: { number: number; bytes: Uint8Array }) => Uint8Array[] | undefined,
) {
  const parts: Uint8Array[] = []
  for (const field of readFields(message)) parts.push(...(other(field) ?? [message.subarray(field.start, field.end)]))
  return Buffer.concat(parts)
}

function nameOf(message: Uint8Array, number: number): string {
  for (const field of readFields(message)) if (field.number === number) return Buffer.from(field.bytes).toString()
  return ''
}
