import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { launchWorker } from '../../../../src/agent/pool/launch-worker.ts'
import { pipeFd } from '../../../../src/agent/worker-messages.ts'

const program = join(import.meta.dirname, '../../../fixtures/worker-that-tries-doors.mjs')

test('a worker is nice, sees no environment, and opens no door but release and models', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cpn-worker-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [releaseDir, modelsDir] = [join(folder, 'release'), join(folder, 'models')]
  for (const path of [join(releaseDir, 'agent'), join(releaseDir, 'node_modules'), modelsDir]) {
    mkdirSync(path, { recursive: true })
  }
  copyFileSync(program, join(releaseDir, 'agent', 'worker.mjs'))
  writeFileSync(join(modelsDir, 'model'), '')
  const child = launchWorker({ releaseDir, modelsDir }, 7, [])
  const pipe = child.stdio[pipeFd] as Duplex
  const [report] = await once(pipe, 'data')
  const { doors, environment } = JSON.parse(report)
  const threads = readdirSync(`/proc/${child.pid}/task`)
  assert.deepEqual(new Set(threads.map((thread) => getPriority(Number(thread)))), new Set([7]))
  pipe.end()
  await once(child, 'exit')
  assert.deepEqual(doors, {
    release: 'open',
    models: 'open',
    passwords: 'ERR_ACCESS_DENIED',
    writing: 'ERR_ACCESS_DENIED',
    programs: 'ERR_ACCESS_DENIED',
    threads: 'ERR_ACCESS_DENIED',
    network: 'ERR_ACCESS_DENIED',
  })
  assert.ok(environment.includes('MALLOC_ARENA_MAX'))
  assert.deepEqual(
    environment.filter((name: string) => ['PATH', 'HOME', 'SSH_AUTH_SOCK'].includes(name)),
    [],
  )
})
