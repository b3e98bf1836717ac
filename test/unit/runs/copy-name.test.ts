import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyName } from '../../../src/runs/copy-name.ts'

test('the copy of a HEIC or raw photo is a JPEG by name, every other keeps its own', () => {
  for (const [name, copy] of [
    ['IMG_1.HEIC', 'IMG_1.HEIC.jpg'],
    ['a/b.heif', 'a/b.heif.jpg'],
    ['a.cr2/DSC_1.NEF', 'a.cr2/DSC_1.NEF.jpg'],
    ['IMG_1.JPG', 'IMG_1.JPG'],
    ['a.heic/b.png', 'a.heic/b.png'],
    ['heic', 'heic'],
    ['x.heic.png', 'x.heic.png'],
  ] as const) {
    assert.equal(copyName(name), copy)
  }
})

test('no two inputs share a copy, whatever is named like one', () => {
  const stems = ['x', 'x.heic', 'x.jpg', 'x.dng']
  const endings = ['', '.jpg', '.JPG', '.heic', '.jpg.jpg', '.heic.jpg', '.heic.jpg.jpg', '.cr3.jpg']
  const names = new Set(stems.flatMap((stem) => endings.map((ending) => stem + ending)))
  assert.equal(new Set([...names].map(copyName)).size, names.size)
})
