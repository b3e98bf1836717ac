import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { abandonedPartials, claimPartial } from '../../../src/models/partial.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

const digest = 'a'.repeat(64)
const endedPid = () => spawnSync(process.execPath, ['-e', '']).pid

test('what a killed process left is taken over, the largest first', async () => {
  using folder = tempFolder()
  await writeFile(join(folder.path, `${digest}.${endedPid()}-00000001.part`), '12')
  await writeFile(join(folder.path, `${digest}.part`), '123')
  const partial = await claimPartial(folder.path, digest)
  assert.equal(await readFile(partial.path, 'utf8'), '123')
})

test('what a living process writes and what belongs to other models is left alone', async () => {
  using folder = tempFolder()
  const others = [`${digest}.${process.ppid}-00000001.part`, `${'b'.repeat(64)}.part`, `${digest}.json`, digest]
  for (const name of others) await writeFile(join(folder.path, name), 'x')
  assert.deepEqual(await abandonedPartials(folder.path, digest), [])
  const partial = await claimPartial(folder.path, digest)
  await assert.rejects(readFile(partial.path), { code: 'ENOENT' })
})

test('two claims at once never get the same file', async () => {
  using folder = tempFolder()
  await writeFile(join(folder.path, `${digest}.part`), 'one')
  const claims = await Promise.all([claimPartial(folder.path, digest), claimPartial(folder.path, digest)])
  assert.notEqual(claims[0].path, claims[1].path)
  assert.equal((await readdir(folder.path)).length, 1)
})

test('what is given back waits for the next one', async () => {
  using folder = tempFolder()
  const first = await claimPartial(folder.path, digest)
  await writeFile(first.path, 'some')
  await first.giveBack()
  assert.deepEqual(await readdir(folder.path), [`${digest}.part`])
  assert.equal(await readFile((await claimPartial(folder.path, digest)).path, 'utf8'), 'some')
})
