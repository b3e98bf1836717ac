import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { withConstantWeights } from '../../../src/agent/constant-weights.ts'
import { openSession } from '../../../src/agent/inference.ts'
import { encodeOnnx, type OnnxGraph } from '../../helpers/onnx-writer.ts'
import { shared, sharedMissing } from '../../helpers/shared.ts'

const x = { name: 'x', dims: [1, 3] }
const w = { name: 'w', dims: [3] }
const graph = (inputs: OnnxGraph['inputs']): OnnxGraph => ({
  nodes: [{ op: 'Mul', inputs: ['x', 'w'], outputs: ['y'] }],
  initializers: [{ ...w, data: Float32Array.of(1, 2, 3) }],
  inputs,
  outputs: [{ name: 'y', dims: [1, 3] }],
})

test('weights that are listed among the inputs become constants, and nothing else changes', async () => {
  assert.deepEqual(withConstantWeights(encodeOnnx(graph([w, x]))), encodeOnnx(graph([x])))
  const session = await openSession(encodeOnnx(graph([w, x])), 1)
  const { y } = await session.run({ data: Float32Array.of(1, 1, 1), dims: [1, 3] })
  assert.deepEqual([...y!.data], [1, 2, 3])
})

test('a model without such inputs stays as it is to the byte', () => {
  const model = encodeOnnx(graph([x]))
  assert.deepEqual(withConstantWeights(model), model)
})

test('a version that wants weights among the inputs keeps them', () => {
  const model = encodeOnnx(graph([w, x]), 3)
  assert.deepEqual(withConstantWeights(model), model)
})

test('what is no model is refused by its code', async () => {
  await assert.rejects(openSession(Buffer.from('<html>'), 1), { code: 'CPN_ERR_MODEL_INVALID' })
})

test('UltraFace lists its weights, and loses about as many bytes as their names and shapes take', {
  skip: sharedMissing,
}, () => {
  const model = readFileSync(shared('models', 'ultraface-rfb-320.onnx'))
  const saved = model.length - withConstantWeights(model).length
  assert.ok(saved > 244 * 10 && saved < 244 * 100, `${saved}`)
})
