import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { bareHostMissing, startBareHost } from '../helpers/bare-host.ts'
import { addTinyDetector, assertFound, drawFolder } from '../helpers/drawn-job.ts'
import { assertIdle, assertSameTree, leakFree } from '../helpers/leaks.ts'
import { project } from '../helpers/project.ts'
import { readPredictions, readSummary } from '../helpers/run-output.ts'

test(
  'a host with nothing installed and no network becomes a node, works and is bare again',
  {
    skip: bareHostMissing,
    timeout: 180_000,
  },
  leakFree(async () => {
    await using host = await startBareHost()
    await using home = project([host])
    const before = host.tree()
    const truth = await drawFolder(join(home.folder, 'pictures'))
    const detector = await addTinyDetector(home)
    await home.ok(['provision', '--yes'])
    await home.ok(['predict', '--pipeline', 'faces', 'pictures', '--detector', detector])
    const out = join(home.folder, 'pictures-predicted')
    assert.equal(readSummary(out).done, truth.size)
    assertFound(readPredictions(out), truth)
    await home.ok(['unprovision', 'all', '--yes'])
    await assertIdle([host])
    assertSameTree(host, before)
  }),
)
