import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { project } from '../helpers/project.ts'
import { shared, sharedMissing } from '../helpers/shared.ts'

const photos = (who: string) => {
  const folder = shared('photos', 'lfw-color-10x10', who)
  return readdirSync(folder)
    .sort()
    .map((file) => join(folder, file))
}

test('sidecars in every place and by every name that was ever asked for follow renaming and forgetting', {
  skip: sharedMissing,
  timeout: 180_000,
}, async () => {
  await using home = project()
  const album = join(home.folder, 'album')
  const out = join(home.folder, 'out')
  writeFileSync(home.inventory, 'version: 1\nhosts:\n  here: { transport: local }\n')
  mkdirSync(album)
  const [first, ...enrolled] = photos('Tony_Blair').slice(0, 4) as [string, ...string[]]
  copyFileSync(first, join(album, 'a.jpg'))
  await home.ok(['provision', '--yes'])
  try {
    await home.ok(['people', 'add', 'Tony', ...enrolled, '--force', '--yes'])
    const predict = (...flags: string[]) =>
      home.ok(['predict', album, '--out', out, '--annotate', 'none', '--format', 'xmp', ...flags])
    await predict('--sidecars', 'originals')
    await predict('--sidecars', 'originals', '--sidecar-names', 'stem')
    await predict()
    const named = (name: string) =>
      [join(album, 'a.jpg.xmp'), join(album, 'a.xmp'), join(out, 'a.jpg.xmp')].map((file) =>
        readFileSync(file, 'utf8').includes(name),
      )
    assert.deepEqual(named('Tony'), [true, true, true])

    await home.ok(['people', 'rename', 'Tony', 'Anton'])
    await home.ok(['people', 'apply'])
    assert.deepEqual([named('Tony'), named('Anton')], [Array(3).fill(false), Array(3).fill(true)])

    await home.ok(['people', 'forget', 'Anton', '--yes'])
    assert.deepEqual(named('Anton'), [false, false, false])
  } finally {
    await home.ok(['unprovision', 'all', '--yes'])
  }
})
