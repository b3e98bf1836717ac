import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import type { DrawnFace } from '../../../src/drawing/head.ts'
import { type DrawnPhoto, drawGroup, drawPortrait } from '../../../src/drawing/scene.ts'
import { facesPipeline, runFaces } from '../../helpers/faces.ts'
import { countFound, iou } from '../../helpers/ground-truth.ts'
import { sharedMissing } from '../../helpers/shared.ts'

const portraits = await Promise.all(
  Array.from({ length: 60 }, (_, index) => drawPortrait(100 + Math.floor(index / 3), index % 3)),
)
const groups: DrawnPhoto[] = []
for (let seed = 0; seed < 14; seed++) groups.push(await drawGroup(people(seed), seed))

test('the same people and seed are the same bytes, another seed is another photo', async () => {
  assert.deepEqual(await drawGroup(people(5), 5), groups[5])
  assert.deepEqual(await drawPortrait(100, 1), portraits[1])
  assert.notDeepEqual((await drawGroup(people(5), 6)).jpeg, groups[5]!.jpeg)
  assert.notDeepEqual((await drawPortrait(101, 1)).jpeg, portraits[1]!.jpeg)
})

test('everybody is there once', () => {
  for (const [seed, { faces }] of groups.entries())
    assert.deepEqual(
      faces.map(({ person }) => person).sort((a, b) => a - b),
      people(seed),
    )
})

test('boxes lie in the picture, what they say of a face in the box, and right is left', () => {
  for (const { width, height, faces } of [...portraits, ...groups]) {
    for (const { person, box, keypoints } of faces) {
      const [x, y, w, h] = box
      const where = `person ${person}: ${JSON.stringify({ box, keypoints })}`
      assert.ok(x >= 0 && y >= 0 && x + w <= width && y + h <= height, where)
      for (const [px, py] of keypoints) assert.ok(px > x && px < x + w && py > y && py < y + h, where)
      const [rightEye, leftEye, nose, rightCorner, leftCorner] = keypoints
      assert.ok(rightEye[0] < leftEye[0] && rightCorner[0] < leftCorner[0], where)
      assert.ok(Math.max(rightEye[1], leftEye[1]) < nose[1], where)
      assert.ok(nose[1] < Math.max(rightCorner[1], leftCorner[1]), where)
    }
  }
})

test('no face of a group hides another', () => {
  for (const { faces } of groups)
    for (const [index, { box }] of faces.entries())
      for (const other of faces.slice(index + 1))
        assert.ok(iou(box, other.box) < 0.08, JSON.stringify([box, other.box]))
})

test('the size of a group is up to who asks', async () => {
  const { jpeg, width, height, faces } = await drawGroup([1, 2, 3], 1, 480, 300)
  const found = await sharp(jpeg).metadata()
  assert.deepEqual([found.format, found.width, found.height], ['jpeg', width, height])
  for (const { box } of faces) assert.ok(box[0] + box[2] <= 480 && box[1] + box[3] <= 300)
})

test('a detector that was taught by photos takes drawn faces for faces, and nothing else', {
  skip: sharedMissing,
}, async () => {
  let [found, said, wanted] = [0, 0, 0]
  for (const { jpeg, faces } of [...groups, ...portraits]) {
    const { answer } = await runFaces(jpeg, facesPipeline('yunet-s-dynamic'))
    found += countFound(boxesOf(faces), boxesOf(answer.faces!), 0.5)
    wanted += faces.length
    said += answer.faces!.length
  }
  assert.ok(found >= 0.97 * wanted, `${found} of ${wanted}`)
  assert.ok(said - found <= 0.03 * wanted, `${said - found} that are none`)
})

test('the colours of a face do not tell who it is', async () => {
  const looks = await Promise.all(
    portraits.map(async ({ jpeg, faces: [face] }) => ({ person: face!.person, look: await meanColour(jpeg, face!) })),
  )
  const share = verified(looks, (a, b) => -Math.hypot(...a.map((value, index) => value - b[index]!)))
  assert.ok(share < 0.7, `${share} of the pairs are told apart`)
})

test('an embedder that was taught by photos does tell', { skip: sharedMissing }, async () => {
  const looks: Look[] = []
  for (const {
    jpeg,
    faces: [face],
  } of portraits) {
    const { answer, parts } = await runFaces(jpeg, facesPipeline('yunet-s-dynamic', { embedder: 'mobilefacenet-112' }))
    const part = parts[answer.parts.findIndex(({ name }) => name === 'embeddings')]!
    const at = answer.faces!.findIndex(({ box }) => iou(box, face!.box) > 0.5)
    const all = new Float32Array(part.buffer, part.byteOffset, part.byteLength / 4)
    if (at >= 0) looks.push({ person: face!.person, look: [...all.subarray(at * 128, at * 128 + 128)] })
  }
  const share = verified(looks, (a, b) => a.reduce((sum, value, index) => sum + value * b[index]!, 0))
  assert.ok(share > 0.9, `${share} of the pairs are told apart`)
})

interface Look {
  person: number
  look: number[]
}

/** Two to eight numbers. */
function people(seed: number): number[] {
  return Array.from({ length: 2 + (seed % 7) }, (_, index) => seed * 10 + index)
}

function boxesOf(faces: { box: DrawnFace['box'] }[]): DrawnFace['box'][] {
  return faces.map(({ box }) => box)
}

async function meanColour(jpeg: Buffer, { box }: DrawnFace): Promise<number[]> {
  const [left, top, width, height] = box.map(Math.floor) as DrawnFace['box']
  const cut = await sharp(jpeg).extract({ left, top, width, height }).toBuffer()
  return (await sharp(cut).stats()).channels.map(({ mean }) => mean)
}

/** How many pairs the best threshold tells apart; pairs of one person weigh as much as pairs of two. */
function verified(looks: Look[], similarity: (a: number[], b: number[]) => number): number {
  const pairs = looks.flatMap((a, index) =>
    looks.slice(index + 1).map((b) => ({ same: a.person === b.person, like: similarity(a.look, b.look) })),
  )
  const same = pairs.filter((pair) => pair.same).map(({ like }) => like)
  const other = pairs.filter((pair) => !pair.same).map(({ like }) => like)
  const right = same.map((threshold) => {
    const [known, strange] = [same.filter((like) => like >= threshold), other.filter((like) => like < threshold)]
    return (known.length / same.length + strange.length / other.length) / 2
  })
  return Math.max(...right)
}
