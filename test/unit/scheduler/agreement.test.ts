import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CpnError } from '../../../src/common/errors.ts'
import type { Face, FoundClass, FoundObject } from '../../../src/protocol/messages.ts'
import type { Pipeline } from '../../../src/protocol/pipeline.ts'
import { differenceOf } from '../../../src/scheduler/agreement.ts'
import type { NodeResult } from '../../../src/scheduler/scheduler.ts'

const pipeline = { kind: 'faces', detector: { scoreThreshold: 0.6 } } as Pipeline
const face: Face = { box: [100, 50, 80, 100], score: 0.9, keypoints: null }
const other: Face = { box: [400, 50, 60, 60], score: 0.8, keypoints: null }

function said(faces: Face[], more: Partial<NodeResult> & { build?: string } = {}) {
  const { build, ...rest } = more
  const answer = { job: '', attempt: 1, epoch: 1, width: 640, height: 480, faces, parts: [], timings: {} }
  return { build, opinion: { result: { answer, ...rest } } }
}

const difference = (a: ReturnType<typeof said>, b: ReturnType<typeof said>) => differenceOf(a, b, pipeline)

test('results that differ as processors do agree, in whatever order the faces are', () => {
  const near: Face = { ...face, box: [101, 51, 79, 101], score: 0.893 }
  assert.equal(difference(said([face, other]), said([other, near])), undefined)
})

test('another box, score, number or size is another result', () => {
  assert.equal(difference(said([face]), said([{ ...face, box: [110, 50, 80, 100] }])), 'the number of faces')
  assert.equal(difference(said([face]), said([{ ...face, score: 0.8 }])), 'the score of a face')
  assert.equal(difference(said([face, other]), said([face])), 'the number of faces')
  const smaller = said([face])
  smaller.opinion.result.answer.width = 320
  assert.equal(difference(said([face]), smaller), 'the size of the image')
})

test('a face that just about counts may be missing', () => {
  const faint: Face = { ...other, score: 0.605 }
  assert.equal(difference(said([face, faint]), said([face])), undefined)
})

test('embeddings are compared with those of the same face', () => {
  const [u, v] = [Float32Array.of(1, 0), Float32Array.of(0, 1)]
  const one = said([face, other], { embeddings: [u, v] })
  assert.equal(difference(one, said([other, face], { embeddings: [v, u] })), undefined)
  assert.equal(difference(one, said([other, face], { embeddings: [u, v] })), 'an embedding')
})

test('the same program with the same numbers draws the same bytes; another one need not', () => {
  const picture = (build: string, text: string) => said([face], { build, annotated: Buffer.from(text) })
  assert.equal(difference(picture('x', 'one'), picture('x', 'two')), 'the picture')
  assert.equal(difference(picture('x', 'one'), picture('y', 'two')), undefined)
})

function saw(told: { objects?: FoundObject[]; classes?: FoundClass[] }) {
  const one = said([])
  Object.assign(one.opinion.result.answer, told)
  return one
}

test('objects are the same in the same place, with the same class and nearly the same score', () => {
  const car: FoundObject = { class: 2, box: [100, 50, 80, 100], score: 0.9 }
  const truck: FoundObject = { class: 7, box: [100, 50, 80, 100], score: 0.8 }
  const faint: FoundObject = { class: 0, box: [0, 0, 20, 20], score: 0.605 }
  const near: FoundObject = { class: 2, box: [101, 51, 79, 101], score: 0.895 }
  assert.equal(difference(saw({ objects: [car, truck, faint] }), saw({ objects: [truck, near] })), undefined)
  for (const [objects, says] of [
    [[car, { ...truck, class: 8 }], 'the number of objects'],
    [[car], 'the number of objects'],
    [[car, { ...truck, box: [130, 50, 80, 100] }], 'the number of objects'],
    [[car, { ...truck, score: 0.7 }], 'the score of an object'],
  ] as [FoundObject[], string][]) {
    assert.equal(difference(saw({ objects: [car, truck] }), saw({ objects })), says)
  }
})

test('classes may change places where they are about as likely', () => {
  const classes = (...pairs: [number, number][]) =>
    saw({ classes: pairs.map(([index, score]) => ({ class: index, score })) })
  const one = classes([7, 0.5], [3, 0.3], [1, 0.05])
  assert.equal(difference(one, classes([7, 0.48], [3, 0.33], [4, 0.06])), undefined)
  assert.equal(difference(one, classes([7, 0.4], [3, 0.3], [1, 0.05])), 'the probability of a class')
  assert.equal(difference(one, classes([7, 0.5], [8, 0.3], [1, 0.05])), 'the probability of a class')
})

test('an image that one node cannot use is no result of the other', () => {
  const refused = { build: undefined, opinion: { error: new CpnError('CPN_ERR_IMAGE_DECODE', 'cut') } }
  assert.equal(differenceOf(refused, said([face]), pipeline), 'CPN_ERR_IMAGE_DECODE and a result')
  assert.equal(differenceOf(refused, refused, pipeline), undefined)
})
