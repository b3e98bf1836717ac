import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ensurePrivateFolder, ensurePrivateFolders } from '../../../src/agent/private-folder.ts'

test('a private folder is made, closed to others, and never a link', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cpn-private-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const run = join(folder, 'deep', 'run')
  ensurePrivateFolder(run)
  assert.equal(statSync(run).mode & 0o777, 0o700)
  chmodSync(run, 0o755)
  ensurePrivateFolder(run)
  assert.equal(statSync(run).mode & 0o777, 0o700)
  symlinkSync(run, join(folder, 'link'))
  assert.throws(() => ensurePrivateFolder(join(folder, 'link')), { code: 'CPN_ERR_AGENT_START' })
})

test('nothing is kept below a folder that others can write', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cpn-private-'))
  t.after(() => rmSync(folder, { recursive: true }))
  ensurePrivateFolders(folder, [join(folder, 'models')])
  assert.equal(statSync(join(folder, 'models')).mode & 0o777, 0o700)
  for (const mode of [0o770, 0o707, 0o1777]) {
    chmodSync(folder, mode)
    assert.throws(() => ensurePrivateFolders(folder, []), { code: 'CPN_ERR_AGENT_START' })
  }
})
