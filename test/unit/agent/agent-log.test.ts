import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { lastLines, openAgentLog } from '../../../src/agent/agent-log.ts'

function logFile(t: { after: (cleanup: () => void) => void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'cpn-log-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'agent.log')
}

test('a log beyond its limit goes on in a new file and keeps one old one', (t) => {
  const path = logFile(t)
  const logger = openAgentLog(path, 1000)
  for (let line = 0; line < 50; line++) logger.info({ line }, 'something happened')
  assert.ok(statSync(path).size <= 1000)
  assert.ok(statSync(`${path}.1`).size <= 1000)
  const [last] = lastLines(path, 1)
  assert.equal(JSON.parse(last ?? '').line, 49)
})

test('the last lines of a file come whole and in order', (t) => {
  const path = logFile(t)
  const logger = openAgentLog(path)
  for (let line = 0; line < 5000; line++) logger.info({ line, text: 'x'.repeat(200) })
  const lines = lastLines(path, 1000).map((line) => JSON.parse(line).line)
  assert.deepEqual(
    lines,
    Array.from({ length: 1000 }, (_, i) => 4000 + i),
  )
})

test('no lines wanted are no lines', (t) => {
  const path = logFile(t)
  openAgentLog(path).info('something happened')
  assert.deepEqual(lastLines(path, 0), [])
})

test('a log that cannot be written or read does no harm', () => {
  openAgentLog('/nonexistent/agent.log').info('lost')
  assert.deepEqual(lastLines('/nonexistent/agent.log', 5), [])
})
