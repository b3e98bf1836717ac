import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { OutputReader } from '../../../../src/actions/run-remote/run-remote-output.ts'
import { Spool } from '../../../../src/actions/run-remote/run-remote-stdin.ts'

test('readers of one stdin get all of it, early and late ones', async () => {
  const source = new PassThrough()
  await using spool = await Spool.of(source)
  const early = text(spool.read())
  source.write('one ')
  source.end('two')
  assert.equal(await early, 'one two')
  assert.equal(await text(spool.read()), 'one two')
  assert.equal(spool.isEmpty, false)
})

test('an stdin that ends without a byte is empty', async () => {
  await using spool = await Spool.of(Readable.from([]))
  assert.equal(await text(spool.read()), '')
  assert.equal(spool.isEmpty, true)
})

test('lines are told whole, the last one without its end, and characters are never cut', async () => {
  const lines: string[] = []
  const reader = new OutputReader(true, (line) => lines.push(line))
  const bytes = Buffer.from('grüß\r\n\nend')
  await reader.read(Readable.from([bytes.subarray(0, 3), bytes.subarray(3)]))
  assert.deepEqual(lines, ['grüß', ''])
  reader.end()
  assert.deepEqual(lines, ['grüß', '', 'end'])
  assert.equal(reader.text, 'grüß\r\n\nend')
})

test('an endless line is told in pieces, and only the beginning of the output is kept', async () => {
  const pieces: number[] = []
  const reader = new OutputReader(true, (line) => pieces.push(line.length))
  await reader.read(Readable.from(Array.from({ length: 80 }, () => Buffer.alloc(64 * 1024, 'x'))))
  reader.end()
  assert.equal(
    pieces.reduce((sum, length) => sum + length, 0),
    80 * 64 * 1024,
  )
  assert.ok(pieces.length > 1)
  assert.equal(reader.text.length, 4 * 1024 * 1024)
})
