import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GalleryShelf } from '../../../src/agent/gallery-shelf.ts'

const missing = { code: 'CPN_ERR_GALLERY_MISSING', retryable: true }

test('the galleries that were used last are kept', () => {
  const shelf = new GalleryShelf()
  const pieces = [Buffer.from('a')]
  shelf.put('a', pieces)
  for (const digest of ['b', 'c', 'd']) shelf.put(digest, [])
  assert.equal(shelf.get('a'), pieces)
  shelf.put('e', [])
  assert.throws(() => shelf.get('b'), missing)
  for (const digest of ['a', 'c', 'd', 'e']) shelf.get(digest)
})

test('the same gallery again takes no other one’s place', () => {
  const shelf = new GalleryShelf()
  for (const digest of ['a', 'b', 'c', 'd', 'd', 'd']) shelf.put(digest, [])
  shelf.get('a')
})

test('nothing is there after all were forgotten', () => {
  const shelf = new GalleryShelf()
  shelf.put('a', [])
  shelf.clear()
  assert.throws(() => shelf.get('a'), missing)
})
