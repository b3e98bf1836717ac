import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
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

function filled(file: string): string {
  using ledger = openLedger(file)
  const run = ledger.beginRun({ out: '/out', options: { paths: ['/a'] }, pipelineDigest: 'p' })
  const identity = { source: '/a', bytes: 1, mtimeMs: 0, ctimeMs: 0, ino: 1 }
  const inputs = Array.from({ length: 100 }, (_, index) => ({ name: `${index}`, ...identity }))
  ledger.commit(run, [{ kind: 'found', inputs }])
  return run.id
}
