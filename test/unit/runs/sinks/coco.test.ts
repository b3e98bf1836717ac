import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeCoco } from '../../../../src/runs/sinks/coco.ts'
import { namedFace, RecordedRun } from '../../../helpers/recorded-results.ts'

interface Coco {
  images: { id: number; file_name: string; width: number; height: number }[]
  annotations: Record<string, unknown>[]
  categories: { id: number; name: string; keypoints: string[] }[]
}

async function coco(run: RecordedRun): Promise<Coco> {
  await writeCoco(run.results)
  return JSON.parse(readFileSync(join(run.out, 'coco.json'), 'utf8')) as Coco
}

test('images, annotations and the category belong together by their ids', async () => {
  const keypoints: [number, number][] = [
    [1, 2],
    [3, 4],
    [5, 6],
    [7, 8],
    [9, 10],
  ]
  using run = new RecordedRun([
    { name: 'a.jpg', error: { code: 'CPN_ERR_IMAGE_DECODE', message: 'cut' } },
    { name: 'b.jpg', width: 640, height: 480 },
    { name: 'c/d.jpg', faces: [namedFace([1, 2, 30, 40], 'Ann', 0.7), { ...namedFace([5, 6, 7, 8]), keypoints }] },
  ])
  const { images, annotations, categories } = await coco(run)
  assert.deepEqual(images, [
    { id: 1, file_name: 'b.jpg', width: 640, height: 480 },
    { id: 2, file_name: 'c/d.jpg', width: 400, height: 300 },
  ])
  assert.deepEqual(
    categories.map(({ id, name, keypoints }) => [id, name, keypoints.length]),
    [[1, 'face', 5]],
  )
  const common = { image_id: 2, category_id: 1, iscrowd: 0, score: 0.9 }
  assert.deepEqual(annotations, [
    { id: 1, ...common, bbox: [1, 2, 30, 40], area: 1200, attributes: { person: 'Ann', similarity: 0.7 } },
    {
      id: 2,
      ...common,
      bbox: [5, 6, 7, 8],
      area: 56,
      keypoints: [1, 2, 2, 3, 4, 2, 5, 6, 2, 7, 8, 2, 9, 10, 2],
      num_keypoints: 5,
      attributes: { person: null, similarity: null },
    },
  ])
})

test('a run without a single face is a document, too', async () => {
  using run = new RecordedRun([{ name: 'a.jpg', error: { code: 'CPN_ERR_IMAGE_DECODE', message: 'cut' } }])
  const { images, annotations } = await coco(run)
  assert.deepEqual([images, annotations], [[], []])
})
