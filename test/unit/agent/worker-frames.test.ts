import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Frame, FrameReader, packFrame } from '../../../src/agent/worker-frames.ts'

const sent = [
  { message: { type: 'ready' }, raw: '' },
  { message: { type: 'done', name: 'Zoë' }, raw: 'the body of an answer' },
  { message: { type: 'failed' }, raw: '' },
]

test('frames are the same wherever the stream is cut', () => {
  const stream = Buffer.concat(
    sent.flatMap(({ message, raw }) => packFrame(message, [Buffer.from(raw.slice(0, 5)), Buffer.from(raw.slice(5))])),
  )
  for (let size = 1; size <= stream.length; size++) {
    const frames: Frame<unknown>[] = []
    const reader = new FrameReader((frame) => frames.push(frame))
    for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size))
    assert.deepEqual(
      frames.map(({ message, raw }) => ({ message, raw: Buffer.concat(raw).toString() })),
      sent,
    )
  }
})
