import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { addTinyDetector, assertFound, drawFolder } from '../helpers/drawn-job.ts'
import { leakFree } from '../helpers/leaks.ts'
import { project } from '../helpers/project.ts'
import { checkAnnotated, readPredictions, readSummary } from '../helpers/run-output.ts'
import { until } from '../helpers/until.ts'

test(
  'predict without an inventory uses this machine and says so',
  { timeout: 180_000 },
  leakFree(async () => {
    await using home = project()
    const truth = await drawFolder(join(home.folder, 'pictures'))
    const detector = await addTinyDetector(home)
    const { stderr } = await home.ok(['predict', '--pipeline', 'faces', './pictures', '--detector', detector, '--yes'])
    assert.match(stderr, /this machine/)

    const out = join(home.folder, 'pictures-predicted')
    assert.equal(readSummary(out).done, truth.size)
    const predictions = readPredictions(out)
    assertFound(predictions, truth)
    await checkAnnotated(out, predictions, (path) => join(home.folder, 'pictures', path))

    await home.ok(['unprovision', 'all', '--yes'])
    await until(() => home.processes().length === 0, 'the local agent has ended')
  }),
)
