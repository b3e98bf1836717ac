import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { differenceFromTruth, lostShare } from '../../../src/rollout/compare.ts'
import { goldenPictures } from '../../../src/rollout/golden-pictures.ts'
import { facesPipeline, runFaces } from '../../helpers/faces.ts'
import { sharedMissing } from '../../helpers/shared.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

test('the drawn pictures are JPEGs, and the same bytes every time', async () => {
  const [first, second] = [await goldenPictures(undefined), await goldenPictures(undefined)]
  assert.deepEqual(
    first.map(({ sha256 }) => sha256),
    second.map(({ sha256 }) => sha256),
  )
  for (const picture of first) {
    const { format, width, height } = await sharp(await picture.read()).metadata()
    assert.equal(format, 'jpeg')
    for (const [x, y, w, h] of picture.truth!) assert.ok(x >= 0 && y >= 0 && x + w <= width && y + h <= height)
  }
})

for (const detector of ['yunet-2023mar', 'yunet-s-dynamic', 'ultraface-320']) {
  test(`${detector} finds every drawn face and nothing else`, { skip: sharedMissing }, async () => {
    const pictures = await goldenPictures(undefined)
    const said = []
    for (const picture of pictures) {
      const { answer } = await runFaces(await picture.read(), facesPipeline(detector))
      said.push({ result: { answer: { ...answer, job: picture.sha256, attempt: 1, epoch: 0 } } })
    }
    const difference = differenceFromTruth(pictures, said)!
    assert.deepEqual([difference.before, difference.after, lostShare(difference)], [6, 6, 0])
    assert.ok(difference.iou! > 0.75, `mean IoU ${difference.iou}`)
  })
}

test('a folder of golden pictures is read by name, and one without pictures is refused', async () => {
  using folder = tempFolder()
  await assert.rejects(goldenPictures(folder.path), { code: 'CPN_ERR_INPUT_MISSING' })
  await assert.rejects(goldenPictures(join(folder.path, 'missing')), { code: 'CPN_ERR_INPUT_MISSING' })
  for (const name of ['b.jpg', 'a.jpg']) writeFileSync(join(folder.path, name), name)
  const pictures = await goldenPictures(folder.path)
  assert.deepEqual(
    pictures.map(({ name }) => name),
    ['a.jpg', 'b.jpg'],
  )
  assert.equal((await pictures[0]!.read()).toString(), 'a.jpg')
})
