import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { listRuns, showRun } from '../../../src/actions/predict/runs.ts'
import type { CpnError } from '../../../src/common/errors.ts'
import { openLedger } from '../../../src/runs/ledger.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

const pageBytes = 4096

test('damage that comes to light only while a ledger is read is told with what to do', () => {
  using folder = tempFolder()
  const file = join(folder.path, 'ledger.db')
  const run = filled(file)
  const bytes = readFileSync(file)
  // The first page has the tables' names: it opens.
  bytes.fill(0xff, pageBytes)
  writeFileSync(file, bytes)
  using ledger = openLedger(file)
  const expected = { code: 'CPN_ERR_STATE_DIR', message: /malformed/, suggestions: [/mv .*ledger\.db\.damaged/] }
  const matches = (error: { code: string; message: string; suggestions: string[] }) => {
    assert.equal(error.code, expected.code)
    assert.match(error.message, expected.message)
    assert.match(error.suggestions[0]!, expected.suggestions[0]!)
    return true
  }
  assert.throws(() => ledger.counts(run), matches)
  assert.throws(() => [...ledger.lines(run)], matches)
})

test('so is damage that commands which only look at runs come upon', () => {
  using folder = tempFolder()
  const inventory = { file: undefined, stateDir: folder.path, hosts: [], requirements: [] }
  const file = join(folder.path, 'ledger.db')
  filled(file)
  const bytes = readFileSync(file)
  const shown = { run: 'last', failed: false }
  // Every other page, one at a time: the tables of runs, inputs and attempts are somewhere among them.
  const told = new Set<string>()
  for (let start = pageBytes; start < bytes.length; start += pageBytes) {
    writeFileSync(file, Buffer.from(bytes).fill(0xff, start, start + pageBytes))
    for (const [name, look] of Object.entries({
      list: () => listRuns(inventory),
      show: () => showRun(inventory, shown),
      failed: () => showRun(inventory, { ...shown, failed: true }),
      input: () => showRun(inventory, { ...shown, input: '1' }),
    })) {
      const error = errorOf(look)
      if (error === undefined) continue
      assert.equal((error as CpnError).code, 'CPN_ERR_STATE_DIR', `${name} with page ${start / pageBytes}: ${error}`)
      told.add(name)
    }
  }
  assert.deepEqual([...told].sort(), ['failed', 'input', 'list', 'show'])
})

function errorOf(look: () => unknown): unknown {
  try {
    look()
    return undefined
  } catch (error) {
    return error
  }
}

function filled(file: string): string {
  using ledger = openLedger(file)
  const run = ledger.beginRun({ out: '/out', options: { paths: ['/a'] }, pipelineDigest: 'p' })
  const identity = { source: '/a', bytes: 1, mtimeMs: 0, ctimeMs: 0, ino: 1 }
  const inputs = Array.from({ length: 100 }, (_, index) => ({ name: `${index}`, ...identity }))
  const attempt = { kind: 'attempt', job: 'j', time: '1', attempt: 1, node: 'a', purpose: 'work' } as const
  ledger.commit(run, [
    { kind: 'found', inputs },
    { kind: 'input', seq: 2, state: 'done', job: 'j' },
    { ...attempt, state: 'started' },
    { ...attempt, state: 'done' },
  ])
  return run.id
}
