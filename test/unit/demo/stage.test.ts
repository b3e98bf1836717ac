import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { endDemo } from '../../../src/demo/stage.ts'
import { mountDisk } from '../../fault/lab/small-disk.ts'
import { canMakeUsers } from '../../helpers/login-user.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

test('what the end of a demo could not take away a second one does', {
  skip: canMakeUsers ? false : 'needs root',
}, async () => {
  using parent = tempFolder()
  const folder = join(parent.path, 'cpn-demo-123456')
  mkdirSync(folder)
  writeFileSync(join(folder, 'demo.json'), JSON.stringify({ format: 'cpn demo 1' }))
  for (const name of ['fleet', 'node1']) mkdirSync(join(folder, name))
  {
    // Nobody can remove a folder that something is mounted on.
    using _disk = mountDisk(join(folder, 'node1'), 1)
    await assert.rejects(endDemo(folder))
  }
  await endDemo(folder)
  assert.equal(existsSync(folder), false)
})
