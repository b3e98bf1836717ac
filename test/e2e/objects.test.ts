import assert from 'node:assert/strict'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ModelManifest } from '../../src/protocol/model.ts'
import { addTinyDetector } from '../helpers/drawn-job.ts'
import { patchedPhoto } from '../helpers/labelled.ts'
import { assertIdle, leakFree } from '../helpers/leaks.ts'
import { type Project, project } from '../helpers/project.ts'
import { outputFiles, type RunSummary, readPredictions, readSummary } from '../helpers/run-output.ts'
import { shared, sharedMissing } from '../helpers/shared.ts'
import { sshdMissing, startHosts } from '../helpers/sshd.ts'
import {
  tinyClassifier,
  tinyClassifierManifest,
  tinyObjectDetector,
  tinyObjectsManifest,
} from '../helpers/tiny-labelled-models.ts'

/** As somebody adds a model of their own. */
async function addModel(home: Project, bytes: Buffer, manifest: ModelManifest): Promise<void> {
  const { name, family, licence, labels, preprocess } = manifest
  writeFileSync(join(home.folder, `${name}.onnx`), bytes)
  writeFileSync(join(home.folder, `${name}.txt`), `${labels!.join('\n')}\n`)
  const about = ['--name', name, '--family', family, '--licence', licence, '--labels', `${name}.txt`]
  const pixels = ['--channels', preprocess.channels, '--mean', preprocess.mean.join(), '--std', preprocess.std.join()]
  await home.ok(['models', 'add', `${name}.onnx`, ...about, ...pixels])
}

async function paint(folder: string, name: string, colours: string[]): Promise<void> {
  const patches = colours.map((colour, i) => ({ colour, left: 256 * i, top: 128, size: 128 }))
  writeFileSync(join(folder, name), await patchedPhoto(512, 512, patches))
}

test(
  'objects and classes are found by nodes that agree, drawn, listed, and found again by nobody',
  { skip: sshdMissing, timeout: 240_000 },
  leakFree(async () => {
    await using hosts = await startHosts({ name: 'node1', held: true }, { name: 'node2', held: true })
    await using home = project(hosts)
    await addTinyDetector(home)
    await addModel(home, tinyObjectDetector(), tinyObjectsManifest())
    await addModel(home, tinyClassifier(), tinyClassifierManifest())
    await home.ok(['provision', '--yes'])
    const folder = join(home.folder, 'photos')
    mkdirSync(folder)
    await paint(folder, 'both.jpg', ['red', 'blue'])
    await paint(folder, 'none.jpg', [])
    await paint(folder, 'one.jpg', ['blue'])

    const asked = ['predict', 'photos', '--pipeline', 'objects', '--detector', 'tiny-objects', '--audit', '100']
    const { stderr } = await home.ok(asked)
    assert.doesNotMatch(stderr, /disagree|wrong result/)
    const out = join(home.folder, 'photos-predicted')
    assert.equal(readSummary(out).done, 3)
    assert.deepEqual(outputFiles(out), ['both.jpg', 'none.jpg', 'one.jpg'])
    const found = readPredictions(out).map(({ path, faces, objects }) => {
      return { path, faces, objects: objects!.map(({ label, box }) => [label, ...box]).sort() }
    })
    const blue = (left: number) => ['blue square', left, 128, 128, 128]
    assert.deepEqual(found, [
      { path: 'both.jpg', faces: undefined, objects: [blue(256), ['red square', 0, 128, 128, 128]] },
      { path: 'none.jpg', faces: undefined, objects: [] },
      { path: 'one.jpg', faces: undefined, objects: [blue(0)] },
    ])

    // Only what is new or gone is looked at again, with the same model.
    await paint(folder, 'other.jpg', ['red'])
    rmSync(join(out, 'one.jpg'))
    const resumed = await home.json<RunSummary>(['runs', 'resume', 'last'])
    assert.deepEqual([resumed.done, resumed.skipped], [2, 2])
    assert.equal(readPredictions(out).find(({ path }) => path === 'other.jpg')!.objects![0]!.label, 'red square')

    // Names of people are nothing to it.
    assert.match((await home.ok(['people', 'apply'])).stdout, /no run that looked for persons/)
    assert.equal(readPredictions(out).length, 4)

    const classes = ['predict', 'photos', '--pipeline', 'classify', '--classifier', 'tiny-colours', '--out', 'classes']
    const { stderr: told } = await home.ok([...classes, '--top-k', '2', '--audit', '100'])
    assert.doesNotMatch(told, /disagree|wrong result/)
    assert.equal(readSummary(join(home.folder, 'classes')).done, 4)
    const labels = readPredictions(join(home.folder, 'classes')).map((line) => line.labels!)
    assert.deepEqual(
      labels.map((each) => each.length),
      [2, 2, 2, 2],
    )
    assert.equal(labels[2]![0]!.label, 'blue')
    assert.equal(labels[3]![0]!.label, 'red')
    assert.equal((await home.json<RunSummary>(['runs', 'resume', 'last'])).skipped, 4)

    const { exitCode, stderr: refused } = await home.cpn([...asked, '--top-k', '3'])
    assert.equal(exitCode, 2)
    assert.match(refused, /--top-k means nothing to the pipeline objects/)
    const faces = await home.cpn(['predict', 'photos', '--pipeline', 'faces', '--threshold', '0.5'])
    assert.equal(faces.exitCode, 2)
    assert.match(faces.stderr, /--threshold means nothing to the pipeline faces/)
    const unfit = await home.cpn(['predict', 'photos', '--pipeline', 'objects', '--detector', 'tiny-squares'])
    assert.equal(unfit.exitCode, 6)
    assert.match(unfit.stderr, /tiny-squares is no model for the pipeline objects[\s\S]*CPN_ERR_MODEL_INVALID/)

    await home.ok(['unprovision', 'all', '--yes'])
    await assertIdle(hosts)
  }),
)

test(
  'things on photographs are found and named with nothing but the name of the pipeline',
  { skip: sharedMissing || sshdMissing, timeout: 240_000 },
  leakFree(async () => {
    await using hosts = await startHosts({ name: 'node1', held: true })
    await using home = project(hosts)
    symlinkSync(shared('photos', 'objects'), join(home.folder, 'photos'))
    await home.ok(['provision', '--yes'])
    await home.ok([
      'predict',
      'photos/',
      '--pipeline',
      'objects',
      '--score-threshold',
      '0.5',
      '--yes',
      '--out',
      'found',
    ])
    const things = new Map(
      readPredictions(join(home.folder, 'found')).map(({ path, objects }) => {
        return [path, objects!.map(({ label }) => label).sort()]
      }),
    )
    assert.deepEqual(things.get('bus.jpg'), ['bus', 'person', 'person', 'person'])
    assert.deepEqual(things.get('dog.jpg'), ['bicycle', 'car', 'dog'])
    assert.deepEqual(things.get('person.jpg'), ['dog', 'horse', 'person'])

    await home.ok(['predict', 'photos/', '--pipeline', 'classify', '--yes', '--out', 'classes'])
    for (const { path, labels } of readPredictions(join(home.folder, 'classes'))) {
      assert.equal(labels!.length, 5)
      if (path === 'tench.png') assert.equal(labels![0]!.label, 'tench')
      if (path === 'cat.jpg') assert.equal(labels![0]!.label, 'tabby')
    }
    await home.ok(['unprovision', 'all', '--yes'])
    await assertIdle(hosts)
  }),
)
