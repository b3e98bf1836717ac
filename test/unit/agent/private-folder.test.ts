import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ensurePrivateFolder } from '../../../src/agent/private-folder.ts'

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
