import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { followLog, lastLines, levelOf, logEnd, recentLines } from '../../../src/common/log-lines.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

const line = (time: number, level: string, msg: string) =>
  JSON.stringify({ time: new Date(time).toISOString(), level, msg })
const messages = (lines: string[]) => lines.map((each) => JSON.parse(each).msg)

test('recent lines reach back over rotations', () => {
  using folder = tempFolder()
  const path = join(folder.path, 'agent.log')
  writeFileSync(`${path}.2`, 'a\nb\n')
  writeFileSync(`${path}.1`, 'c\n')
  writeFileSync(path, 'd\ne\n')
  assert.deepEqual(recentLines(path, { lines: 4 }), ['b', 'c', 'd', 'e'])
  assert.deepEqual(recentLines(path, { lines: 1 }), ['e'])
  assert.deepEqual(recentLines(path, { lines: 0 }), [])
  assert.deepEqual(recentLines(path, { lines: 9 }), ['a', 'b', 'c', 'd', 'e'])
})

test('lines are chosen by time and level, also those that older versions wrote', () => {
  using folder = tempFolder()
  const path = join(folder.path, 'agent.log')
  const now = Date.now()
  const old = `${path}.1`
  writeFileSync(old, `${line(now - 9000, 'error', 'long ago')}\n`)
  utimesSync(old, new Date(now - 9000), new Date(now - 9000))
  const numbered = JSON.stringify({ time: new Date(now).toISOString(), level: 50, msg: 'a number' })
  const lines = [line(now - 7000, 'error', 'before'), line(now, 'info', 'now'), 'no line of ours', numbered]
  writeFileSync(path, `${[...lines, line(now, 'warn', 'é'.repeat(700_000))].join('\n')}\n`)
  const wanted = { lines: 10, notBefore: now - 5000 }
  assert.deepEqual(messages(recentLines(path, { ...wanted, level: 'warn' })), ['a number', 'é'.repeat(700_000)])
  assert.equal(recentLines(path, wanted).length, 4)
  assert.deepEqual(messages(recentLines(path, { lines: 10, level: 'error' })), ['long ago', 'before', 'a number'])
  assert.deepEqual([levelOf({ level: 10 }), levelOf({ level: 60 }), levelOf({ level: {} })], ['trace', 'fatal', 'info'])
})

test('the last lines of a large file come whole and in order', () => {
  using folder = tempFolder()
  const path = join(folder.path, 'agent.log')
  writeFileSync(path, Array.from({ length: 5000 }, (_, index) => `${index} ${'x'.repeat(200)}\n`).join(''))
  const last = lastLines(path, 1000).map((each) => Number(each.split(' ')[0]))
  assert.deepEqual(
    last,
    Array.from({ length: 1000 }, (_, index) => 4000 + index),
  )
  assert.deepEqual(lastLines('/nonexistent/agent.log', 5), [])
})

test('following loses nothing when the log is rotated meanwhile, and ends with its signal', async () => {
  using folder = tempFolder()
  mkdirSync(join(folder.path, 'log'))
  const path = join(folder.path, 'log', 'agent.log')
  writeFileSync(path, 'old\n')
  const end = new AbortController()
  const news = followLog(path, logEnd(path), end.signal)
  appendFileSync(path, 'before\n')
  const first = await news.next()
  appendFileSync(path, 'last\n')
  renameSync(path, `${path}.1`)
  renameSync(`${path}.1`, `${path}.2`)
  writeFileSync(`${path}.1`, 'between\n')
  writeFileSync(path, 'new\n')
  const [second, third] = [await news.next(), await news.next()]
  assert.deepEqual([first.value, second.value, third.value], ['before\n', 'last\n', 'new\n'])
  end.abort()
  assert.equal((await news.next()).done, true)
})
