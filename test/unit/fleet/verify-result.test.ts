import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import sharp from 'sharp'
import { CpnError } from '../../../src/common/errors.ts'
import { pictureOf } from '../../../src/fleet/picture/picture.ts'
import { faultOf, maxAnswerBytes, originalOf } from '../../../src/fleet/verify-result.ts'
import type { Face } from '../../../src/protocol/messages.ts'
import type { Pipeline } from '../../../src/protocol/pipeline.ts'
import type { NodeResult } from '../../../src/scheduler/scheduler.ts'
import { mutate, oneOf } from '../../fuzz/mutate.ts'
import { drawnHeic, heifEncMissing } from '../../helpers/drawn-heic.ts'
import { type DrawnPhoto, drawnPhoto, drawnPixels } from '../../helpers/drawn-images.ts'
import { drawnRaw, rawKinds } from '../../helpers/drawn-raw.ts'
import { seededRandom } from '../../helpers/embeddings.ts'
import { facesPipeline, runFaces } from '../../helpers/faces.ts'
import { classifyPipeline, objectsPipeline, patchedPhoto, runLabelled } from '../../helpers/labelled.ts'
import { shared, sharedMissing } from '../../helpers/shared.ts'

const formats = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const

const square = { width: 640, height: 480, squares: [[100, 120, 80] as [number, number, number]] }

async function honest(photo: Partial<DrawnPhoto> = {}, annotate: 'preview' | 'full' = 'preview') {
  return answerTo(await drawnPhoto({ ...square, ...photo }), annotate)
}

async function answerTo(image: Buffer, annotate: 'preview' | 'full') {
  const pipeline = facesPipeline('tiny-squares', { annotate })
  const { answer, parts } = await runFaces(image, pipeline)
  const result: NodeResult = { answer: { job: '', attempt: 1, epoch: 1, ...answer }, annotated: Buffer.from(parts[0]!) }
  return { image, pipeline, result }
}

test('what an honest node answers is taken, for every format, turned or not, small or shrunk', async () => {
  for (const format of formats) {
    for (const photo of [{}, { orientation: 6 }, { width: 2500, height: 250 }]) {
      for (const annotate of ['preview', 'full'] as const) {
        const { image, pipeline, result } = await honest({ format, ...photo }, annotate)
        assert.equal(
          faultOf(originalOf(image), pipeline, result),
          undefined,
          `${format} ${JSON.stringify(photo)} ${annotate}`,
        )
      }
    }
  }
})

test('what an honest node answers to a HEIC or a raw photo is taken: the copy is a JPEG', {
  skip: heifEncMissing,
}, async () => {
  const heic = { ...square, pixels: drawnPixels(square) }
  const preview = { jpeg: await drawnPhoto(square), width: 640, height: 480 }
  const images = [
    ...(await Promise.all(rawKinds.map((kind) => drawnRaw({ kind, preview, orientation: 8 })))),
    await drawnHeic(heic),
    await drawnHeic({ ...heic, tile: 128, turns: 1 }),
  ]
  for (const image of images) {
    for (const annotate of ['preview', 'full'] as const) {
      const { pipeline, result } = await answerTo(image, annotate)
      assert.equal(result.answer.faces.length, 1)
      assert.equal(faultOf(originalOf(image), pipeline, result), undefined)
      const annotated = await drawnPhoto({ ...square, format: 'png' })
      assert.ok(faultOf(originalOf(image), pipeline, { ...result, annotated }))
    }
  }
  const { pipeline, result } = await answerTo(images.at(-1)!, 'full')
  const said = { ...result, answer: { ...result.answer, width: 640, height: 480 + 1 } }
  assert.match(faultOf(originalOf(images.at(-1)!), pipeline, said) ?? '', /a size of 640x481 for an image of 640x480/)
})

test('what an honest node answers to a damaged picture is taken', async () => {
  const good = await Promise.all(formats.map((format) => drawnPhoto({ ...square, width: 96, height: 64, format })))
  const random = seededRandom(1)
  let taken = 0
  for (let i = 0; i < 300; i++) {
    // GIF is where decoders and headers differ most.
    const image = mutate(i % 3 === 0 ? oneOf(random, good) : good.at(-1)!, random)
    const answered = await answerTo(image, 'full').catch((error: CpnError) => error)
    if (answered instanceof CpnError) continue
    assert.equal(faultOf(originalOf(image), answered.pipeline, answered.result), undefined, `picture ${i}`)
    taken++
  }
  assert.ok(taken > 30, `${taken} pictures could be read`)
})

test('a copy that is cut, or has something behind it, is refused in every format', async () => {
  for (const format of formats) {
    const { image, pipeline, result } = await honest({ format })
    const whole = result.annotated!
    const wrong = [whole.subarray(0, whole.length - 1), whole.subarray(0, whole.length >> 1)]
    // Whoever reads a TIFF goes by its directory, and what nothing refers to is not found.
    if (format !== 'tiff') wrong.push(Buffer.concat([whole, Buffer.from('<script>alert(1)</script>')]))
    for (const annotated of wrong) {
      assert.ok(
        faultOf(originalOf(image), pipeline, { ...result, annotated }),
        `${format} of ${annotated.length} bytes`,
      )
    }
  }
})

test('a copy of another size, another format, or that is no picture is refused', async () => {
  const { image, pipeline, result } = await honest()
  const other = async (format: 'jpeg' | 'png', width: number) => drawnPhoto({ width, height: 480, squares: [], format })
  for (const [annotated, says] of [
    [await other('jpeg', 641), /a copy of 641x480 of an image of 640x480/],
    [await other('png', 640), /a png copy of a jpeg image/],
    [Buffer.from('<!DOCTYPE html><script>alert(1)</script>'), /no picture/],
    [Buffer.alloc(0), /no picture/],
  ] as const) {
    assert.match(faultOf(originalOf(image), pipeline, { ...result, annotated }) ?? '', says)
  }
  const parts = [{ name: 'annotated' as const, bytes: 1, mediaType: 'text/html' }]
  assert.ok(faultOf(originalOf(image), pipeline, { ...result, answer: { ...result.answer, parts } }))
})

test('sizes, faces, scores and embeddings that cannot be are refused', async () => {
  const { image, pipeline, result } = await honest()
  const { answer } = result
  const face = answer.faces[0]!
  const unit = Float32Array.from({ length: 128 }, (_, index) => (index === 0 ? 1 : 0))
  const embedder = { model: pipeline.detector.model }
  for (const [changes, says, changedPipeline = pipeline] of [
    [{ answer: { ...answer, width: 480, height: 641 } }, /a size of 480x641 for an image of 640x480/],
    [{ answer: { ...answer, width: 20_000, height: 20_000 } }, /more than is accepted/],
    [{ answer: { ...answer, faces: [{ ...face, box: [600, 10, 80, 80] }] } }, /outside/],
    [{ answer: { ...answer, faces: [{ ...face, box: [-5, 10, 80, 80] }] } }, /outside/],
    [{ answer: { ...answer, faces: [{ ...face, score: 1.5 }] } }, /score/],
    [{ embeddings: [unit] }, /nobody asked/],
    [{}, /no embedding/, { ...pipeline, embedder }],
    [{ embeddings: [unit.map((value) => value * 1.005)] }, /length 1/, { ...pipeline, embedder }],
    [{ embeddings: [unit.subarray(0, 64)] }, /another size/, { ...pipeline, embedder }],
  ] as [Partial<NodeResult>, RegExp, typeof pipeline?][]) {
    assert.match(faultOf(originalOf(image), changedPipeline, { ...result, ...changes }) ?? '', says)
  }
  assert.equal(faultOf(originalOf(image), { ...pipeline, embedder }, { ...result, embeddings: [unit] }), undefined)
})

test('thumbnails are small whole JPEGs, one of the picture and one of each face, and only when they were asked for', async () => {
  const { image, pipeline, result } = await honest()
  const asking = { ...pipeline, thumbnails: true as const }
  const jpeg = (edge: number, format: 'jpeg' | 'png' = 'jpeg') =>
    drawnPhoto({ width: edge, height: edge / 2, squares: [], format })
  const small = await jpeg(256)
  const found = { ...result, thumbnail: small, crops: [small] }
  const fault = (changes: object, asked: Pipeline = asking) =>
    faultOf(originalOf(image), asked, { ...found, ...changes } as NodeResult)
  assert.equal(fault({}), undefined)
  assert.equal(fault({ thumbnail: undefined, crops: undefined }, pipeline), undefined)
  const noise = Buffer.concat([small.subarray(0, -2), Buffer.alloc(70_000, 1), small.subarray(-2)])
  for (const wrong of [
    await jpeg(258),
    await jpeg(256, 'png'),
    small.subarray(0, -1),
    Buffer.concat([small, Buffer.from('<script>')]),
    noise,
    Buffer.from('<!DOCTYPE html>'),
    Buffer.alloc(0),
  ]) {
    assert.match(fault({ thumbnail: wrong }) ?? '', /a thumbnail that is no small JPEG/)
    assert.match(fault({ crops: [wrong] }) ?? '', /a thumbnail that is no small JPEG/)
  }
  for (const missing of [{ thumbnail: undefined }, { crops: undefined }, { crops: [] }, { crops: [small, small] }]) {
    assert.match(fault(missing) ?? '', /no thumbnail of the picture or some face/)
  }
  for (const unasked of [{ crops: undefined }, { thumbnail: undefined }]) {
    assert.match(fault(unasked, pipeline) ?? '', /thumbnails that nobody asked for/)
  }
})

test('objects and classes that cannot be are refused, and so is what nobody asked for', async () => {
  const image = await patchedPhoto(512, 512, [{ colour: 'red', left: 0, top: 128, size: 128 }])
  const objects = objectsPipeline('tiny-objects', { thumbnails: true })
  const classes = classifyPipeline('tiny-colours', { top: 2 })
  const answered = async (pipeline: typeof objects | typeof classes): Promise<NodeResult> => {
    const { answer, parts } = await runLabelled(image, pipeline)
    const small = parts[0] ? { thumbnail: Buffer.from(parts[0]) } : {}
    return { answer: { job: '', attempt: 1, epoch: 1, ...answer }, ...small }
  }
  const [found, told] = [await answered(objects), await answered(classes)]
  const object = found.answer.objects![0]!
  const [first, second] = told.answer.classes!
  assert.equal(faultOf(originalOf(image), objects, found), undefined)
  assert.equal(faultOf(originalOf(image), classes, told), undefined)
  const face: Face = { box: [0, 0, 1, 1], score: 0.9, keypoints: null }
  for (const [changes, says] of [
    [{ objects: [{ ...object, class: 2 }] }, /a class that there is not/],
    [{ objects: [{ ...object, box: [500, 0, 20, 20] }] }, /an object outside/],
    [{ objects: [{ ...object, score: 0.1 }] }, /a score that it cannot have/],
    [{ objects: [{ ...object, score: 1.1 }] }, /a score that it cannot have/],
    [{ objects: undefined }, /no list of objects/],
    [{ faces: [face] }, /faces that nobody/],
    [{ classes: [first!] }, /classes that nobody/],
  ] as [Partial<NodeResult['answer']>, RegExp][]) {
    assert.match(faultOf(originalOf(image), objects, { ...found, answer: { ...found.answer, ...changes } }) ?? '', says)
  }
  assert.match(faultOf(originalOf(image), objects, { ...found, thumbnail: undefined }) ?? '', /no thumbnail/)
  assert.match(faultOf(originalOf(image), objects, { ...found, crops: [] }) ?? '', /nobody asked/)
  for (const [changes, says] of [
    [{ classes: [first!, { ...second!, class: 3 }] }, /a class that there is not/],
    [{ classes: [first!, first!] }, /another number/],
    [{ classes: [first!] }, /another number/],
    [{ classes: undefined }, /another number/],
    [{ classes: [first!, { ...second!, score: 0.9 }] }, /probabilities/],
    [{ objects: [] }, /objects that nobody/],
  ] as [Partial<NodeResult['answer']>, RegExp][]) {
    assert.match(faultOf(originalOf(image), classes, { ...told, answer: { ...told.answer, ...changes } }) ?? '', says)
  }
})

test('whatever bytes come, looking at them throws nothing and ends', async () => {
  let seed = 1
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  const drawn = { width: 64, height: 48, squares: [] }
  const all = [
    ...(await Promise.all(formats.map((format) => drawnPhoto({ ...drawn, format })))),
    ...(await Promise.all(rawKinds.map((kind) => drawnRaw({ kind })))),
    ...(heifEncMissing ? [] : [await drawnHeic({ ...drawn, pixels: drawnPixels(drawn), tile: 64 })]),
  ]
  for (const good of all) {
    for (let round = 0; round < 400; round++) {
      const bad = Buffer.from(good.subarray(0, round % 3 === 0 ? random(good.length) : good.length))
      for (let change = 0; change < 3 && bad.length > 0; change++)
        bad[random(bad.length)] = [0, 255, random(256)][change]!
      const picture = pictureOf(bad)
      picture?.size(bad)
      picture?.isWhole(bad)
    }
  }
})

test('real photographs have the size that a decoder finds', { skip: sharedMissing }, async () => {
  const folders = ['dlib-faces', 'azure-faces'].map((name) => shared('photos', name))
  for (const folder of folders) {
    for (const name of readdirSync(folder).filter((file) => /\.(jpe?g|png)$/i.test(file))) {
      const bytes = readFileSync(`${folder}/${name}`)
      const { width, height } = await sharp(bytes).metadata()
      assert.deepEqual(pictureOf(bytes)?.size(bytes), { width, height }, name)
    }
  }
})

test('an answer may be as large as what was asked for makes it', () => {
  assert.ok(maxAnswerBytes({ annotate: 'none' }) < maxAnswerBytes({ annotate: 'preview' }))
  assert.ok(maxAnswerBytes({ annotate: 'preview' }) < maxAnswerBytes({ annotate: 'full' }))
})
