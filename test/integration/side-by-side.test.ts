import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { RunInfo } from '../../src/actions/predict/runs.ts'
import { addTinyDetector, drawMany } from '../helpers/drawn-job.ts'
import { project } from '../helpers/project.ts'
import { countWritten, readSummary } from '../helpers/run-output.ts'
import { until } from '../helpers/until.ts'

test('a small run beside a large one on the same node ends first, and nothing is blamed for waiting', {
  timeout: 180_000,
}, async () => {
  await using home = project()
  const detector = await addTinyDetector(home)
  await drawMany(join(home.folder, 'large'), 400)
  await drawMany(join(home.folder, 'small'), 10)
  const out = join(home.folder, 'large-predicted')
  const large = home.spawn(['predict', '--pipeline', 'faces', 'large', '--detector', detector, '--yes'])
  let ended = false
  large.exited.finally(() => {
    ended = true
  })
  await until(() => countWritten(out) > 20 || ended, 'the large run works')
  await home.ok(['predict', '--pipeline', 'faces', 'small', '--detector', detector])
  assert.equal(ended, false, 'the small run ended after the large one')
  assert.equal(readSummary(join(home.folder, 'small-predicted')).done, 10)

  const { runs } = await home.json<{ runs: RunInfo[] }>(['runs', 'list'])
  assert.deepEqual(
    runs.map(({ state, inputs }) => [state, inputs]),
    [
      ['running', 400],
      ['finished', 10],
    ],
  )
  await home.ok(['status'])
  await home.ok(['logs', 'here'])
  await home.ok(['provision'])
  assert.equal((await large.exited).exitCode, 0, large.describe())
  assert.equal(readSummary(out).done, 400)
  await home.ok(['unprovision', 'all', '--yes'])
})
