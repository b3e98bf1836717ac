import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogSource } from '../../../../src/actions/logs/log-source.ts'
import { MergedLog } from '../../../../src/actions/logs/merge-logs.ts'
import { windowOf } from '../../../../src/actions/logs/run-window.ts'

const signal = new AbortController().signal
const now = Date.now()
const iso = (secondsAgo: number) => new Date(now - secondsAgo * 1000).toISOString()
const line = (secondsAgo: number, msg: string, more = {}) =>
  JSON.stringify({ time: iso(secondsAgo), level: 'info', msg, ...more })

function source(name: string | undefined, lines: string[]): LogSource {
  return new LogSource(name, async function* () {
    yield* lines
  })
}

async function merged(sources: LogSource[], lines = 100, isWanted = () => true) {
  const failed: unknown[] = []
  const onFailed = ({ name }: LogSource, error: unknown) => failed.push([name, error])
  const log = new MergedLog(sources, { lines, isWanted, follow: false, onFailed, signal })
  return { records: await Array.fromAsync(log.records()), failed }
}

test('logs are one in the order of time, whatever the clocks of the nodes say', async () => {
  const hour = 3600
  const ahead = [JSON.stringify({ clock: iso(-hour) }), line(30 - hour, 'second'), line(10 - hour, 'fourth')]
  const behind = [JSON.stringify({ clock: iso(hour) }), line(20 + hour, 'third'), line(5 + hour, 'last')]
  const sources = [source(undefined, [line(40, 'first')]), source('ahead', ahead), source('behind', behind)]
  const { records } = await merged(sources)
  assert.deepEqual(
    records.map(({ message }) => message),
    ['first', 'second', 'third', 'fourth', 'last'],
  )
  assert.ok(records.every(({ time }) => Math.abs(time - now) < 60_000))
  assert.deepEqual(
    (await merged(sources, 2)).records.map(({ message }) => message),
    ['fourth', 'last'],
  )
})

test('lines without a time, or of the future, stay where they were found', async () => {
  const lines = [line(30, 'first'), 'Segmentation fault', line(-999_999_999, 'liar'), line(10, 'after')]
  const { records } = await merged([source('node1', lines), source(undefined, [line(20, 'here')])])
  assert.deepEqual(
    records.map(({ message }) => message),
    ['first', 'Segmentation fault', 'liar', 'here', 'after'],
  )
})

test('a log that fails leaves the others whole', async () => {
  const broken = new LogSource('node1', async function* () {
    yield line(20, 'one')
    throw new Error('cut')
  })
  const { records, failed } = await merged([broken, source(undefined, [line(30, 'here')])])
  assert.deepEqual(
    records.map(({ source: from }) => from),
    [undefined, 'node1'],
  )
  assert.deepEqual(failed, [['node1', new Error('cut')]])
})

test('a run is what names it, and what happened meanwhile in its process and on nodes', () => {
  const [began, ended] = [
    line(60, 'run began', { run: 'r1', pid: 7, event: 'run-began' }),
    line(30, 'run ended', { run: 'r1', pid: 7, event: 'run-ended' }),
  ]
  const window = windowOf([began, line(50, 'other', { run: 'r2', pid: 8 }), ended], 'r1')!
  const has = (secondsAgo: number, from: string | undefined, fields: object) =>
    window.includes({ time: now - secondsAgo * 1000, level: 'info', source: from, message: '', fields: { ...fields } })
  assert.equal(has(50, undefined, { run: 'r1' }), true)
  assert.equal(has(50, undefined, { run: 'r2', pid: 7 }), false)
  assert.equal(has(50, undefined, { pid: 7 }), true)
  assert.equal(has(50, undefined, { pid: 8 }), false)
  assert.equal(has(50, 'node1', {}), true)
  assert.equal(has(10, 'node1', {}), false)
  assert.equal(windowOf([began], 'r9'), undefined)
  const before = line(90, 'run began', { run: 'r0', pid: 6, event: 'run-began' })
  assert.equal(windowOf([before, began, ended], 'last')!.began, window.began)
  assert.equal(windowOf([line(9, 'command began')], 'last'), undefined)
})
