import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertIdle, leakFree } from '../helpers/leaks.ts'
import { project } from '../helpers/project.ts'
import { readPredictions, readSummary } from '../helpers/run-output.ts'
import { repositoryRoot, shared, sharedMissing } from '../helpers/shared.ts'
import { sshdMissing, startHosts } from '../helpers/sshd.ts'

/** Files of the bad images that are fine after all: each of them has to be done. */
const mustBeDone = join(repositoryRoot, 'test', 'fixtures', 'badimages-done.txt')

test(
  'a run over broken, odd and hostile files has one outcome for each',
  {
    skip: sshdMissing || sharedMissing,
    timeout: 300_000,
  },
  leakFree(async () => {
    await using hosts = await startHosts({ name: 'node1' }, { name: 'node2' })
    await using home = project(hosts)
    await home.ok(['provision', '--yes'])
    const run = await home.cpn(['predict', '--pipeline', 'faces', shared('badimages'), '--out', 'out', '--yes'], {
      timeoutMs: 240_000,
    })
    assert.equal(run.exitCode, 7, run.stderr)

    const out = join(home.folder, 'out')
    const { inputs, ignored, pending, skipped } = readSummary(out)
    assert.deepEqual({ pending, skipped, files: inputs + ignored }, { pending: 0, skipped: 0, files: countFiles() })
    const predictions = readPredictions(out)
    for (const { path, faces, error } of predictions) {
      assert.ok(faces ? !error : /^CPN_ERR_/.test(error?.code ?? ''), `${path} has no outcome of its own`)
      assert.ok(faces || error!.message.length > 10, `${path} has no reason`)
    }
    const done = new Set(predictions.filter(({ faces }) => faces).map(({ path }) => path))
    const wanted = readFileSync(mustBeDone, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    assert.deepEqual(
      wanted.filter((path) => !done.has(path)),
      [],
      'files that can be decoded and were not done',
    )
    await home.ok(['unprovision', 'all', '--yes'])
    await assertIdle(hosts)
  }),
)

function countFiles(): number {
  return readdirSync(shared('badimages'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .length
}
