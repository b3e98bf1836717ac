import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exifOrientation, uprightExif } from '../../../../src/agent/vision/exif.ts'

type Entry = [tag: number, type: number, value: number]

/** An EXIF block with a main directory, an Exif directory and the offset of a thumbnail's directory. */
function exifBlock(main: Entry[], inner: Entry[], little: boolean): Uint8Array {
  const innerAt = 8 + 2 + (main.length + 1) * 12 + 4
  const view = new DataView(new ArrayBuffer(innerAt + 2 + inner.length * 12 + 4))
  view.setUint16(0, little ? 0x4949 : 0x4d4d)
  view.setUint16(2, 42, little)
  view.setUint32(4, 8, little)
  writeDirectory(view, 8, [...main, [0x8769, 4, innerAt]], 0x77, little)
  writeDirectory(view, innerAt, inner, 0, little)
  return new Uint8Array(view.buffer)
}

function writeDirectory(view: DataView, start: number, entries: Entry[], next: number, little: boolean): void {
  view.setUint16(start, entries.length, little)
  for (const [i, [tag, type, value]] of entries.entries()) {
    const at = start + 2 + i * 12
    view.setUint16(at, tag, little)
    view.setUint16(at + 2, type, little)
    view.setUint32(at + 4, 1, little)
    if (type === 3) view.setUint16(at + 8, value, little)
    else view.setUint32(at + 8, value, little)
  }
  view.setUint32(start + 2 + entries.length * 12, next, little)
}

for (const little of [true, false]) {
  const order = little ? 'little' : 'big'

  test(`orientation is read in ${order} endian blocks`, () => {
    for (const value of [1, 2, 3, 4, 5, 6, 7, 8]) {
      assert.equal(exifOrientation(exifBlock([[0x0112, 3, value]], [], little)), value)
    }
  })

  test(`an upright block (${order} endian) has orientation 1, the new size and no thumbnail`, () => {
    const tags: Entry[] = [
      [0x0100, 4, 4000],
      [0x0101, 3, 3000],
      [0x0112, 3, 6],
    ]
    const inner: Entry[] = [
      [0xa002, 4, 4000],
      [0xa003, 4, 3000],
    ]
    const block = exifBlock(tags, inner, little)
    const expected = exifBlock(
      [
        [0x0100, 4, 1536],
        [0x0101, 3, 2048],
        [0x0112, 3, 1],
      ],
      [
        [0xa002, 4, 1536],
        [0xa003, 4, 2048],
      ],
      little,
    )
    new DataView(expected.buffer).setUint32(8 + 2 + 4 * 12, 0)
    assert.deepEqual(uprightExif(block, 1536, 2048), expected)
    assert.equal(exifOrientation(block), 6, 'the original block stays as it was')
  })
}

test('an orientation that means nothing is 1', () => {
  for (const value of [0, 9, 4711]) assert.equal(exifOrientation(exifBlock([[0x0112, 3, value]], [], true)), 1)
})

test('a broken block is upright, is not written back, and never reads beyond itself', () => {
  const block = exifBlock([[0x0112, 3, 6]], [[0xa002, 4, 5]], true)
  for (let length = 0; length < block.length; length++) {
    const part = block.slice(0, length)
    assert.ok([1, 6].includes(exifOrientation(part)))
    uprightExif(part, 10, 10)
  }
  const lost = block.slice()
  new DataView(lost.buffer).setUint32(4, 0xfffffff0, true)
  assert.equal(exifOrientation(lost), 1)
  assert.equal(uprightExif(lost, 10, 10), undefined)
  assert.equal(uprightExif(Buffer.from('no TIFF structure'), 10, 10), undefined)
})
