import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CpnError } from '../../../src/common/errors.ts'
import { embeddedFile, isEmbedded } from '../../../src/models/embedded.ts'
import { readOnnx } from '../../../src/models/onnx.ts'
import { catalogue } from '../../../src/models/store.ts'
import { checkSignature } from '../../../src/protocol/families.ts'
import { encodeOnnx, type OnnxGraph, type OnnxTensor } from '../../helpers/onnx-writer.ts'
import { shared, sharedMissing } from '../../helpers/shared.ts'
import { tinyDetector } from '../../helpers/tiny-model.ts'

const weight: OnnxTensor = { name: 'w', dims: [1], data: new Float32Array([1]) }
const outside: OnnxTensor = { ...weight, name: 'outside', external: '../../../etc/passwd' }

function graph(more: Partial<OnnxGraph> = {}): OnnxGraph {
  return {
    nodes: [{ op: 'Mul', inputs: ['x', 'w'], outputs: ['y'] }],
    initializers: [weight],
    inputs: [{ name: 'x', dims: ['batch', 3] }],
    outputs: [{ name: 'y', dims: ['batch', 3] }],
    ...more,
  }
}

test('inputs and outputs come with type and sizes, open ones as null, initializers left out', () => {
  const bytes = encodeOnnx(
    graph({
      inputs: [
        { name: 'x', dims: ['batch', 3], elementType: 7 },
        { name: 'w', dims: [1] },
      ],
    }),
  )
  assert.deepEqual(readOnnx(bytes), {
    inputs: [{ name: 'x', type: 'int64', dims: [null, 3] }],
    outputs: [{ name: 'y', type: 'float32', dims: [null, 3] }],
    externalData: false,
  })
})

test('the model the tests make is one of the yunet family', () => {
  const model = readOnnx(tinyDetector())
  assert.equal(model.outputs.length, 12)
  checkSignature('yunet', model)
})

test('external data is found wherever a tensor can be', () => {
  const hidden: Partial<OnnxGraph>[] = [
    { initializers: [weight, outside] },
    { nodes: [{ op: 'Constant', inputs: [], outputs: ['c'], attributes: { value: outside } }] },
    {
      nodes: [
        { op: 'If', inputs: ['x'], outputs: ['y'], attributes: { then_branch: graph({ initializers: [outside] }) } },
      ],
    },
  ]
  for (const more of hidden) assert.equal(readOnnx(encodeOnnx(graph(more))).externalData, true)
})

test('external data in a second graph field is found too, because parsers merge them', () => {
  const two = Buffer.concat([encodeOnnx(graph()), encodeOnnx(graph({ initializers: [outside] }))])
  assert.equal(readOnnx(two).externalData, true)
})

test('what is no model is refused with a code', () => {
  const page = Buffer.from('<!DOCTYPE html><html><body>Sign in</body></html>')
  for (const bytes of [
    Buffer.alloc(0),
    page,
    Buffer.alloc(300, 0xff),
    Buffer.from('PK\u0003\u0004'),
    Buffer.alloc(64),
  ]) {
    assert.throws(() => readOnnx(bytes), { code: 'CPN_ERR_MODEL_INVALID' })
  }
})

test('graphs nested without end are refused', () => {
  let inner = graph()
  for (let depth = 0; depth < 100; depth++) {
    inner = graph({ nodes: [{ op: 'If', inputs: [], outputs: [], attributes: { then_branch: inner } }] })
  }
  assert.throws(() => readOnnx(encodeOnnx(inner)), { code: 'CPN_ERR_MODEL_INVALID' })
})

test('cut and damaged files end in an answer or CPN_ERR_MODEL_INVALID, never in another error', () => {
  const whole = encodeOnnx(graph())
  const damaged = [...whole.keys()].flatMap((at) => [
    whole.subarray(0, at),
    ...[0, 1, 127, 128, 255].map(set(whole, at)),
  ])
  // A fixed sequence, so that a failure can be repeated
  let state = 12345
  for (let round = 0; round < 3000; round++) {
    const copy = Buffer.from(whole)
    for (let change = 0; change < 4; change++) {
      state = (state * 1103515245 + 12345) % 2 ** 31
      copy[state % copy.length] = (state >> 8) & 255
    }
    damaged.push(copy)
  }
  for (const bytes of damaged) {
    try {
      readOnnx(bytes)
    } catch (error) {
      assert.ok(error instanceof CpnError && error.code === 'CPN_ERR_MODEL_INVALID', String(error))
    }
  }
})

function set(bytes: Buffer, at: number) {
  return (value: number): Buffer => {
    const copy = Buffer.from(bytes)
    copy[at] = value
    return copy
  }
}

test('the real models of the catalogue fit their families and no other', { skip: sharedMissing }, () => {
  const files: Record<string, string> = {
    'ultraface-320': 'ultraface-rfb-320',
    'mobilefacenet-112': 'mobilefacenet-foamliu-112',
    'mobilenetv2-int8': 'mobilenetv2-int8-static',
  }
  // The bytes of SFace are not among the test data.
  for (const manifest of catalogue().filter(({ name }) => name !== 'sface-2021dec')) {
    const { name, family } = manifest
    const file = isEmbedded(manifest) ? embeddedFile(manifest) : shared('models', `${files[name] ?? name}.onnx`)
    const model = readOnnx(readFileSync(file))
    assert.equal(model.externalData, false)
    checkSignature(family, model)
    // A classifier may be anything that turns a picture into numbers: it has to have labels as well.
    for (const other of (['yunet', 'ultraface', 'arcface', 'yolox'] as const).filter((each) => each !== family)) {
      assert.throws(() => checkSignature(other, model), { code: 'CPN_ERR_MODEL_INVALID' })
    }
  }
})
