import assert from 'node:assert/strict'
import { existsSync, linkSync, mkdirSync, readdirSync, readlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { RunInfo } from '../../src/actions/predict/runs.ts'
import { addTinyDetector, drawMany } from '../helpers/drawn-job.ts'
import { project } from '../helpers/project.ts'
import { readSummary } from '../helpers/run-output.ts'

const digest = (letter: string) => letter.repeat(64)
const longAgo = new Date(Date.now() - 90 * 86_400_000)

interface Pruned {
  items: { host: string | null; what: string; bytes: number }[]
  bytes: number
  removed: boolean
}

test('prune shows, asks for and removes what is old and unused, and nothing else', { timeout: 120_000 }, async () => {
  await using home = project()
  const detector = await addTinyDetector(home)
  const predict = (...args: string[]) =>
    home.ok(['predict', '--pipeline', 'faces', 'photos', '--detector', detector, '--yes', ...args])
  await drawMany(join(home.folder, 'photos'), 6)
  await predict('--out', 'old')
  await predict('--out', 'new')
  const [old, recent] = (await home.json<{ runs: RunInfo[] }>(['runs', 'list'])).runs
  const stateDir = join(home.env.XDG_STATE_HOME!, 'cpn')
  age(join(stateDir, 'ledger.db'), old!.run)

  const node = join(home.env.HOME!, '.cpn')
  const [fleet] = readdirSync(join(node, 'fleets'))
  const current = basename(readlinkSync(join(node, 'fleets', fleet!, 'current')))
  const planted = plantOnNode(node, fleet!)
  const modelsThere = readdirSync(join(node, 'models')).filter((name) => !name.startsWith(digest('f')))
  const cache = join(home.env.HOME!, 'cache')
  const cached = plantInCache(cache)
  const part = write(join(stateDir, 'models', `${digest('e')}.part`), true)
  const fresh = write(join(stateDir, 'models', `${digest('d')}.part`), false)
  const env = { XDG_CACHE_HOME: cache }

  const asked = await home.cpn(['prune', '--json'], { env })
  assert.deepEqual([asked.exitCode, JSON.parse(asked.stdout).error.code], [2, 'CPN_ERR_NEEDS_TERMINAL'])
  const shown = await home.json<Pruned>(['prune', '--dry-run'], { env })
  assert.deepEqual(
    shown.items.map(({ host, what }) => [host, what.replace(/:.*/, '')]),
    [
      [null, '1 run of the ledger'],
      [null, `model ${digest('e')}.part`],
      [null, '2 files of the cache that this version does not use'],
      ['here', '1 release, 1 loose blob, 1 model file, 1 log'],
    ],
  )
  assert.ok(shown.bytes > 0 && !shown.removed)
  for (const path of [...planted, ...cached, part]) assert.ok(existsSync(path), `${path} is gone after a dry run`)

  const { removed } = await home.json<Pruned>(['prune', '--yes'], { env })
  assert.ok(removed)
  for (const path of [...planted, ...cached, part]) assert.ok(!existsSync(path), `${path} is still there`)
  assert.ok(existsSync(fresh))
  assert.deepEqual(readdirSync(join(node, 'releases')), [current])
  assert.deepEqual(readdirSync(join(node, 'models')), modelsThere)
  assert.ok(!existsSync(join(node, 'lock')), 'the lock is given back')
  const { runs } = await home.json<{ runs: RunInfo[] }>(['runs', 'list'])
  assert.deepEqual(
    runs.map(({ run }) => run),
    [recent!.run],
  )
  assert.deepEqual((await home.json<Pruned>(['prune', '--dry-run'], { env })).items, [])

  await predict('--out', 'new')
  assert.equal(readSummary(join(home.folder, 'new')).skipped, 6)
  await predict('--out', 'old')
  assert.equal(readSummary(join(home.folder, 'old')).done, 6)
  await home.ok(['unprovision', 'all', '--yes'])
})

function age(ledger: string, run: string): void {
  using db = new DatabaseSync(ledger)
  const time = longAgo.toISOString()
  db.prepare('UPDATE runs SET started_at = ?, ended_at = ? WHERE id = ?').run(time, time, run)
}

/** A release that nothing uses, a blob of none, an old log and an old model; what has to go of it. */
function plantOnNode(node: string, fleet: string): string[] {
  const release = join(node, 'releases', digest('a'))
  const blob = write(join(node, 'blobs', digest('b')), true)
  mkdirSync(release)
  linkSync(blob, join(release, 'file'))
  return [
    release,
    blob,
    write(join(node, 'blobs', digest('c')), true),
    write(join(node, 'fleets', fleet, 'log', 'agent.log.1'), true),
    write(join(node, 'models', digest('f')), true),
  ]
}

function plantInCache(cache: string): string[] {
  return [
    write(join(cache, 'cpn', 'releases', 'packed', `${digest('a')}.zstd`), true),
    write(join(cache, 'cpn', 'compiled', 'v1.0.0-x64-0-0', 'code'), true),
  ]
}

function write(path: string, old: boolean): string {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, 'x'.repeat(10_000))
  if (old) utimesSync(path, longAgo, longAgo)
  return path
}
