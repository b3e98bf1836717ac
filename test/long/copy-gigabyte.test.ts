import assert from 'node:assert/strict'
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sha256File } from '../../src/common/digest.ts'
import { fetchFiles } from '../../src/transport/transfer/fetch.ts'
import { sshdMissing, startSshd } from '../helpers/sshd.ts'
import { tempFolder } from '../helpers/temp-folder.ts'
import { connectTo, never, send } from '../integration/copy-fixture.ts'

test('a file of 1 GB goes to a host and comes back', { skip: sshdMissing }, async () => {
  using folder = tempFolder()
  await using host = await startSshd()
  await using transport = await connectTo(host)
  const big = join(folder.path, 'big')
  writeFileSync(big, 'one gigabyte', { mode: 0o644 })
  truncateSync(big, 1_000_000_000)
  await send(transport, [big], '.')
  await fetchFiles(transport, 'big', join(folder.path, 'back'), { signal: never })
  assert.equal(await sha256File(join(folder.path, 'back', 'big')), await sha256File(big))
})
