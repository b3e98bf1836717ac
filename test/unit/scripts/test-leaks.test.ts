import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tempFolder } from '../../helpers/temp-folder.ts'

// A program of the repository, not of src: it has no types.
const { collectLeaks } = await import(new URL('../../../scripts/test-leaks.mjs', import.meta.url).href)
const linux = { skip: process.platform === 'linux' ? false : 'needs /proc' }

test('what a run leaves behind is named, ended and removed', linux, async () => {
  using outer = tempFolder()
  const folder = join(outer.path, 'run')
  mkdirSync(join(folder, 'cpn-test-forgotten'), { recursive: true })
  const marked = spawn('sleep', ['600'], { env: { ...process.env, CPN_TEST_RUN: 'one' } })
  const inside = spawn('sleep', ['601'], { cwd: join(folder, 'cpn-test-forgotten') })
  const ended = Promise.all([marked, inside].map((child) => once(child, 'exit')))
  const leaks: string[] = await collectLeaks({ run: 'one', folder })
  assert.deepEqual(leaks.map((leak) => leak.replace(/\d+:/, 'N:')).sort(), [
    'process N: sleep 600',
    'process N: sleep 601',
    `temporary folder ${join(folder, 'cpn-test-forgotten')}`,
  ])
  await ended
  assert.equal(existsSync(folder), false)
})

test('what ends by itself in a moment is no leak, nor is what others run', linux, async () => {
  using outer = tempFolder()
  const folder = join(outer.path, 'run')
  mkdirSync(folder)
  const brief = spawn('sleep', ['0.2'], { env: { ...process.env, CPN_TEST_RUN: 'two' } })
  const ended = once(brief, 'exit')
  const foreign = spawn('sleep', ['600'], { env: { ...process.env, CPN_TEST_RUN: 'three' } })
  assert.deepEqual(await collectLeaks({ run: 'two', folder }), [])
  assert.deepEqual(await ended, [0, null])
  assert.equal(foreign.exitCode, null)
  foreign.kill()
  await once(foreign, 'exit')
})
