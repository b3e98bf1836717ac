import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawMarks } from '../../../../src/agent/pipelines/draw.ts'
import { LabelPainter } from '../../../../src/agent/vision/label-painter.ts'
import { Scratch } from '../../../../src/agent/vision/scratch.ts'
import { markOf } from '../../../../src/matching/mark-of.ts'
import { drawnPhoto } from '../../../helpers/drawn-images.ts'
import { facesPipeline, runFaces } from '../../../helpers/faces.ts'
import { fontsFolder } from '../../../helpers/fonts.ts'

const tools = { painter: new LabelPainter(fontsFolder()), scratch: new Scratch() }
const drawn = { width: 2600, height: 1300, squares: [[300, 400, 400] as [number, number, number]] }

test('what is drawn of known marks is what was drawn when they were found, byte for byte', async () => {
  for (const format of ['jpeg', 'png', 'webp', 'tiff'] as const) {
    for (const orientation of [1, 6]) {
      for (const annotate of ['preview', 'full'] as const) {
        const photo = await drawnPhoto({ ...drawn, format, orientation })
        const found = await runFaces(photo, facesPipeline('tiny-squares', { annotate }))
        assert.equal(found.answer.faces.length, 1)
        const marks = found.answer.faces.map((face) => markOf(face, undefined))
        const again = await drawMarks(photo, { kind: 'draw', annotate, maxPixels: 1e8 }, marks, tools)
        assert.ok(Buffer.from(again.parts[0]!).equals(Buffer.from(found.parts[0]!)), `${format} ${orientation}`)
        assert.deepEqual(
          [again.answer.parts, again.answer.width, again.answer.height, again.answer.faces],
          [found.answer.parts, found.answer.width, found.answer.height, []],
        )
      }
    }
  }
})

test('a picture without marks is drawn, and too large a one refused', async () => {
  const photo = await drawnPhoto(drawn)
  const pipeline = { kind: 'draw', annotate: 'preview', maxPixels: 1e8 } as const
  assert.equal((await drawMarks(photo, pipeline, [], tools)).parts.length, 1)
  const refused = { code: 'CPN_ERR_IMAGE_TOO_LARGE' }
  await assert.rejects(drawMarks(photo, { ...pipeline, maxPixels: 1000 }, [], tools), refused)
})
