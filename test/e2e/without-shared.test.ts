import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { addTinyDetector, assertFound, drawFolder } from '../helpers/drawn-job.ts'
import { assertIdle, assertSameTree, leakFree } from '../helpers/leaks.ts'
import { project } from '../helpers/project.ts'
import { checkAnnotated, readPredictions, readSummary } from '../helpers/run-output.ts'
import { sshdMissing, startHosts } from '../helpers/sshd.ts'

test(
  'the main job with a model and pictures of our own, in every format',
  {
    skip: sshdMissing,
    timeout: 180_000,
  },
  leakFree(async () => {
    await using hosts = await startHosts({ name: 'node1' }, { name: 'node2' })
    await using home = project(hosts)
    const before = hosts.map((host) => host.tree())
    const truth = await drawFolder(join(home.folder, 'pictures'))
    const detector = await addTinyDetector(home)
    await home.ok(['provision', '--yes'], { env: { CPN_MODEL_MIRROR: undefined } })
    await home.ok(['predict', '--pipeline', 'faces', 'pictures', '--detector', detector], {
      env: { CPN_MODEL_MIRROR: undefined },
    })

    const out = join(home.folder, 'pictures-predicted')
    assert.equal(readSummary(out).done, truth.size)
    const predictions = readPredictions(out)
    assertFound(predictions, truth)
    await checkAnnotated(out, predictions, (path) => join(home.folder, 'pictures', path))

    await home.ok(['unprovision', 'all', '--yes'])
    await assertIdle(hosts)
    for (const [index, host] of hosts.entries()) assertSameTree(host, before[index]!)
  }),
)

test(
  'two runs over the same pictures say the same',
  { skip: sshdMissing, timeout: 180_000 },
  leakFree(async () => {
    await using hosts = await startHosts({ name: 'node1' })
    await using home = project(hosts)
    await drawFolder(join(home.folder, 'pictures'))
    const detector = await addTinyDetector(home)
    // Without a terminal --yes provisions the bare host as well.
    for (const out of ['first', 'second']) {
      await home.ok([
        'predict',
        '--pipeline',
        'faces',
        'pictures',
        '--detector',
        detector,
        '--out',
        out,
        '--annotate',
        'none',
        '--yes',
      ])
    }
    const [first, second] = ['first', 'second'].map((out) => readPredictions(join(home.folder, out)))
    assert.deepEqual(second, first)
    await home.ok(['unprovision', 'all', '--yes'])
    await assertIdle(hosts)
  }),
)
