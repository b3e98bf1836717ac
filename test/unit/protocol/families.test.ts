import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkLabels,
  checkSignature,
  type ModelSignature,
  type TensorInfo,
  yunetStrides,
} from '../../../src/protocol/families.ts'

const tensor = (name: string, ...dims: (number | null)[]): TensorInfo => ({ name, type: 'float32', dims })

function yunet(width: number | null, height: number | null): ModelSignature {
  const cells = (stride: number) => (width === null || height === null ? null : (width / stride) * (height / stride))
  const parts: [string, number][] = [
    ['cls', 1],
    ['obj', 1],
    ['bbox', 4],
    ['kps', 10],
  ]
  return {
    inputs: [tensor('input', 1, 3, height, width)],
    outputs: parts.flatMap(([name, size]) =>
      yunetStrides.map((step) => tensor(`${name}_${step}`, 1, cells(step), size)),
    ),
  }
}

const arcface: ModelSignature = {
  inputs: [tensor('data', null, 3, 112, 112)],
  outputs: [tensor('fc1', null, 128)],
}

test('fixed and dynamic models of a family fit, whatever their only input is called', () => {
  checkSignature('yunet', yunet(640, 640))
  checkSignature('yunet', yunet(320, 256))
  checkSignature('yunet', yunet(null, null))
  checkSignature('arcface', arcface)
  checkSignature('ultraface', {
    inputs: [tensor('input', 1, 3, 240, 320)],
    outputs: [tensor('boxes', 1, 4420, 4), tensor('scores', 1, 4420, 2)],
  })
})

test('what does not fit is named', () => {
  const misfits: [Parameters<typeof checkSignature>, RegExp][] = [
    [['arcface', yunet(640, 640)], /family arcface: its input input float32\[1,3,640,640\] should be/],
    [['yunet', arcface], /family yunet: it has no output cls_8/],
    [['yunet', yunet(600, 640)], /600x640 pixels, which are no multiples of 32/],
    [['ultraface', { inputs: [], outputs: [] }], /it has no input float32\[1,3,\?,\?\]/],
    [['arcface', { ...arcface, outputs: [tensor('fc1', 1, 512)] }], /its output fc1 float32\[1,512\] should be/],
    [['arcface', { ...arcface, inputs: [...arcface.inputs, tensor('phase', 1)] }], /one more input, phase/],
    [['arcface', { ...arcface, inputs: [{ ...arcface.inputs[0]!, type: 'uint8' }] }], /should be float32/],
    [['arcface', { ...arcface, outputs: [tensor('fc1', 1, 1, 128)] }], /should be float32\[1,128\]/],
  ]
  for (const [args, message] of misfits) {
    assert.throws(() => checkSignature(...args), { code: 'CPN_ERR_MODEL_INVALID', message })
  }
})

test('grids that do not cover the input are noticed', () => {
  const model = { ...yunet(640, 640), inputs: [tensor('input', 1, 3, 320, 320)] }
  assert.throws(() => checkSignature('yunet', model), {
    code: 'CPN_ERR_MODEL_INVALID',
    message: /cls_8 has 6400 cells/,
  })
})

const yolox = (side: number | null, cells: number | null, fields = 85): ModelSignature => ({
  inputs: [tensor('images', 1, 3, side, side)],
  outputs: [tensor('output', 1, cells, fields)],
})

const classifier: ModelSignature = {
  inputs: [tensor('input', null, 3, 224, 224)],
  outputs: [tensor('out', null, 1000)],
}

test('detectors of objects have the cells that their input makes, and room for classes', () => {
  checkSignature('yolox', yolox(416, 3549))
  checkSignature('yolox', yolox(416, null))
  for (const [model, message] of [
    [yolox(416, 3548), /3548 cells where its input makes 3549/],
    [yolox(400, 3549), /400x400 pixels/],
    [yolox(null, 3549), /\?x\? pixels/],
    [yolox(416, 3549, 5), /no room for classes/],
    [classifier, /its output out float32\[\?,1000\] should be/],
  ] as const) {
    assert.throws(() => checkSignature('yolox', model), { code: 'CPN_ERR_MODEL_INVALID', message })
  }
  checkSignature('classifier', classifier)
  assert.throws(() => checkSignature('classifier', yolox(416, 3549)), { code: 'CPN_ERR_MODEL_INVALID' })
})

test('a model that tells classes apart has a label for each', () => {
  const labels = (count: number) => Array.from({ length: count }, (_, index) => `class ${index}`)
  checkLabels('yolox', yolox(416, 3549), labels(80))
  checkLabels('classifier', classifier, labels(1000))
  checkLabels('classifier', { ...classifier, outputs: [tensor('out', null, null)] }, labels(7))
  checkLabels('arcface', arcface, undefined)
  for (const [count, message] of [
    [79, /80 classes, and there are 79 labels/],
    [undefined, /nothing says what its 80 classes are called/],
  ] as const) {
    const check = () => checkLabels('yolox', yolox(416, 3549), count && labels(count))
    assert.throws(check, { code: 'CPN_ERR_MODEL_INVALID', message })
  }
})
