import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileKernel } from '../../../scripts/build-kernel.ts'
import { DotProducts, dotProduct } from '../../../src/matching/dot-products.ts'
import { kernelBytes } from '../../../src/matching/dot-products-bytes.ts'
import { randomEmbedding, seededRandom } from '../../helpers/embeddings.ts'

test('the bytes that are shipped are those of the text', async () => {
  assert.equal(kernelBytes, Buffer.from(await compileKernel()).toString('base64'))
})

test('products are those of the plain loop, bit by bit, for any number of faces and rows', () => {
  const random = seededRandom(1)
  for (const [faces, rows] of [
    [1, 1],
    [2, 15],
    [3, 16],
    [1, 17],
    [33, 40],
    [5, 2050],
  ] as const) {
    const embeddings = Array.from({ length: faces }, () => randomEmbedding(random))
    const others = Array.from({ length: rows }, () => randomEmbedding(random))
    const found = allAbove(others, embeddings, -2)
    assert.equal(found.length, faces * rows)
    for (const { face, row, product } of found) {
      assert.ok(Object.is(product, dotProduct(embeddings[face]!, others[row]!)), `${face} and ${row} of ${rows}`)
    }
    assert.equal(new Set(found.map(({ face, row }) => `${face}-${row}`)).size, found.length)
  }
})

test('only what reaches the floor is told of, the floor itself included', () => {
  const random = seededRandom(2)
  const rows = Array.from({ length: 300 }, () => randomEmbedding(random))
  const face = randomEmbedding(random)
  const floor = dotProduct(face, rows[77]!)
  const expected = rows.flatMap((row, i) => (dotProduct(face, row) >= floor ? [i] : []))
  assert.deepEqual(
    allAbove(rows, [face], floor).map(({ row }) => row),
    expected,
  )
  assert.ok(expected.includes(77))
})

test('rows before the first that is wanted are left out', () => {
  const random = seededRandom(3)
  const rows = Array.from({ length: 100 }, () => randomEmbedding(random))
  for (const from of [0, 1, 16, 55, 99, 100]) {
    const found = allAbove(rows, [rows[0]!], -2, from)
    assert.deepEqual(
      found.map(({ row }) => row),
      Array.from({ length: 100 - from }, (_, i) => from + i),
    )
  }
})

test('a face that is no number is like nothing', () => {
  const rows = [randomEmbedding(seededRandom(4))]
  assert.deepEqual(allAbove(rows, [new Float32Array(128).fill(Number.NaN)], -2), [])
})

test('what is no embedding is refused', () => {
  const products = new DotProducts(1)
  assert.throws(() => products.set(0, new Float32Array(127)), RangeError)
  assert.throws(() => products.set(1, new Float32Array(128)), RangeError)
  assert.throws(() => products.above([new Float32Array(129)], 0, () => {}), RangeError)
})

function allAbove(rows: Float32Array[], faces: Float32Array[], floor: number, from = 0) {
  const products = new DotProducts(rows.length)
  for (const [i, row] of rows.entries()) products.set(i, row)
  const found: { face: number; row: number; product: number }[] = []
  products.above(faces, floor, (face, row, product) => found.push({ face, row, product }), from)
  return found
}
