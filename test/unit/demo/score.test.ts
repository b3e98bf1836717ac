import assert from 'node:assert/strict'
import { test } from 'node:test'
import { names, portraitsOf, type TrueFace } from '../../../src/demo/cast.ts'
import { score } from '../../../src/demo/score.ts'

const left = [10, 10, 40, 50] as const
const right = [100, 10, 40, 50] as const
const nearLeft = [13, 12, 40, 50] as const
const face = (box: readonly number[], person: string | null): TrueFace => ({ box: [...box] as TrueFace['box'], person })

test('a demo counts faces that are found, names that are right, and strangers who get none', () => {
  const truth = new Map([
    ['1.jpg', [face(left, 'Ada'), face(right, null)]],
    ['2.jpg', [face(left, 'Ada'), face(right, 'Björn')]],
    ['3.jpg', [face(left, 'Ada'), face(right, null)]],
    ['missing.jpg', [face(left, 'Ada')]],
  ])
  const said = new Map([
    ['1.jpg', [face(right, null), face(nearLeft, 'Ada')]],
    ['2.jpg', [face(left, 'Björn'), face(right, null), face([300, 300, 20, 20], null)]],
    ['3.jpg', [face(right, 'Ada')]],
  ])
  assert.deepEqual(score(truth, said), {
    faces: { drawn: 7, found: 5, extra: 1 },
    names: { right: 1, wrong: 1, unnamed: 1 },
    strangers: { named: 1, unnamed: 1 },
  })
})

test('everybody of a demo has a folder of portraits with a plain name', () => {
  const folders = names.map(portraitsOf)
  assert.equal(new Set(folders).size, names.length)
  for (const folder of folders) assert.match(folder, /^[a-z]+$/)
})
