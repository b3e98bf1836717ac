import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { hostPlatform } from '../../src/provision/release/platform.ts'
import { type CpnResult, cpn, isolatedEnvironment } from '../helpers/cli.ts'
import { tempFolder } from '../helpers/temp-folder.ts'

const local = 'hosts:\n  here: { transport: local }\n'

/** `cpn` in a folder whose inventory has these hosts. */
function inFolder(folder: string, hosts: string): (...args: string[]) => Promise<CpnResult> {
  const home = join(folder, 'home')
  writeFileSync(join(folder, 'inventory.yaml'), `version: 1\n${hosts}`)
  const env = isolatedEnvironment(home)
  return (...args) => cpn(args, { cwd: folder, env })
}

test('a dry run lists the changes of each host on stdout and counts them on its line', async () => {
  using folder = tempFolder()
  const { exitCode, stdout, stderr } = await inFolder(folder.path, local)('provision', '--dry-run')
  assert.equal(exitCode, 0, stderr)
  assert.match(stdout, /^here: would change\n {2}send the release: \d+ files, \d+ MiB\n( {2}.+\n)+$/)
  assert.match(stderr, /^here: \d+ changes to make$/m)
  assert.equal(existsSync(join(folder.path, 'home', '.cpn')), false)
})

test('a dry run and a built release tell the same size', async () => {
  using folder = tempFolder()
  const run = inFolder(folder.path, local)
  const [size] = /\d+ files, [\d.]+ MiB/.exec((await run('release', 'build', '--platform', hostPlatform())).stdout)!
  assert.ok((await run('provision', '--dry-run')).stdout.includes(`send the release: ${size}\n`))
})

test('where no agent is there is nothing to stop and no log', async () => {
  using folder = tempFolder()
  const run = inFolder(folder.path, local)
  for (const [command, says] of [
    ['stop', /so there is nothing to stop/],
    ['logs', /so there is no log/],
  ] as const) {
    const { exitCode, stderr } = await run(command, 'here')
    assert.equal(exitCode, 4)
    assert.match(stderr, says)
    assert.doesNotMatch(stderr, /cpn provision/)
  }
})

test('an inventory without hosts is said before anything is asked', async () => {
  using folder = tempFolder()
  const run = inFolder(folder.path, '')
  for (const args of [['provision'], ['status'], ['stop', 'all'], ['logs', 'all']]) {
    const { exitCode, stderr } = await run(...args)
    assert.equal(exitCode, 3)
    assert.match(stderr, /^✖ the inventory has no hosts\n {2}→ Add one: cpn hosts add/)
  }
  assert.match((await run('doctor')).stdout, /hosts +warning +the inventory has no hosts/)
})
