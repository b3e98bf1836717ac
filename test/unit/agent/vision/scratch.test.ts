import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeImage } from '../../../../src/agent/vision/decode.ts'
import { Scratch } from '../../../../src/agent/vision/scratch.ts'
import { drawnPhoto } from '../../../helpers/drawn-images.ts'

test('memory is used again, and grows when an image is larger', () => {
  const scratch = new Scratch()
  const first = scratch.take(1000)
  assert.equal(first.length, 1000)
  assert.equal(scratch.take(10).buffer, first.buffer)
  assert.notEqual(scratch.take(2000).buffer, first.buffer)
})

test('very large images get memory of their own', () => {
  const scratch = new Scratch()
  const large = scratch.take(60 * 1024 ** 2)
  assert.equal(large.length, 60 * 1024 ** 2)
  assert.notEqual(scratch.take(100).buffer, large.buffer)
})

test('images decoded one after the other into the same memory are what they are alone', async () => {
  const scratch = new Scratch()
  for (const [width, height] of [
    [300, 200],
    [100, 50],
    [400, 300],
  ] as const) {
    const bytes = await drawnPhoto({ width, height, squares: [[10, 10, 30]] })
    const shared = await decodeImage(bytes, 1e6, scratch)
    assert.deepEqual(shared.stored, (await decodeImage(bytes, 1e6)).stored)
  }
})
