import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countFound, dlibFaces, iou } from '../../helpers/ground-truth.ts'
import { shared, sharedMissing } from '../../helpers/shared.ts'

test('the overlap of boxes', () => {
  assert.equal(iou([0, 0, 10, 10], [0, 0, 10, 10]), 1)
  assert.equal(iou([0, 0, 10, 10], [5, 0, 10, 10]), 1 / 3)
  assert.equal(iou([0, 0, 10, 10], [20, 20, 10, 10]), 0)
})

test('a box counts for one true box only', () => {
  assert.equal(
    countFound(
      [
        [0, 0, 10, 10],
        [1, 0, 10, 10],
      ],
      [[0, 0, 10, 10]],
      0.4,
    ),
    1,
  )
  assert.equal(
    countFound(
      [
        [0, 0, 10, 10],
        [50, 0, 10, 10],
      ],
      [
        [49, 0, 10, 10],
        [1, 0, 10, 10],
      ],
      0.4,
    ),
    2,
  )
})

test('the dlib photographs have 43 annotated faces', { skip: sharedMissing }, () => {
  const folder = (name: string): string => shared('photos', 'dlib-faces', name)
  const faces = dlibFaces(folder('training.xml'), folder('testing.xml'))
  assert.equal([...faces.values()].flat().length, 43)
  assert.deepEqual(faces.get('2008_002470.jpg')![0], [274, 181, 52, 53])
})
