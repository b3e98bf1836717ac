import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { MarkerMissing, readPastMarker } from '../../../src/transport/marker.ts'

test('what comes before the marker is dropped and what comes after stays', async () => {
  const stream = new PassThrough()
  stream.write('welcome\nMARK without its end, MA')
  const found = readPastMarker(stream, 'MARK', 1)
  setImmediate(() => {
    stream.write('RK\n12')
    stream.write('34\nrest')
    stream.end(' of it')
  })
  assert.deepEqual(await found, ['1234'])
  assert.equal(await text(stream), 'rest of it')
})

test('a stream that ends before the marker tells what it said', async () => {
  const stream = new PassThrough()
  stream.end('This account is not available.\n')
  await assert.rejects(readPastMarker(stream, 'MARK'), (error) => {
    assert.ok(error instanceof MarkerMissing)
    assert.equal(error.noise, 'This account is not available.\n')
    return true
  })
})

test('a stream that breaks gives its own error', async () => {
  const stream = new PassThrough()
  setImmediate(() => stream.destroy(new Error('broken')))
  await assert.rejects(readPastMarker(stream, 'MARK'), /broken/)
})
