import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { followLog, logEnd, recentLines } from '../../../src/agent/control/logs.ts'
import { fleetFolder } from '../../../src/agent/fleet-folder.ts'

function fleetWithLog(t: { after: (cleanup: () => void) => void }, text: string) {
  const home = mkdtempSync(join(tmpdir(), 'cpn-logs-'))
  t.after(() => rmSync(home, { recursive: true }))
  const fleet = fleetFolder(join(home, 'fleets', 'test'))
  mkdirSync(fleet.logDir, { recursive: true })
  writeFileSync(fleet.log, text)
  return fleet
}

test('recent lines reach back into the file before a rotation', (t) => {
  const fleet = fleetWithLog(t, 'c\nd\n')
  writeFileSync(`${fleet.log}.1`, 'a\nb\n')
  assert.deepEqual(recentLines(fleet, 3), ['b', 'c', 'd'])
  assert.deepEqual(recentLines(fleet, 1), ['d'])
})

test('following loses nothing when the log is rotated meanwhile', async (t) => {
  const fleet = fleetWithLog(t, 'old\n')
  const news = followLog(fleet, logEnd(fleet))
  appendFileSync(fleet.log, 'before\n')
  const first = await news.next()
  appendFileSync(fleet.log, 'last\n')
  renameSync(fleet.log, `${fleet.log}.1`)
  writeFileSync(fleet.log, 'new\n')
  const [second, third] = [await news.next(), await news.next()]
  assert.deepEqual([first.value, second.value, third.value], ['before\n', 'last\n', 'new\n'])
  await news.return(undefined)
})
