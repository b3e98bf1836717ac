import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LabelledObject } from '../../../../src/runs/labelled.ts'
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

test('objects have a category per label, with ids in the order of labels', async () => {
  const object = (label: string): LabelledObject => ({ box: [1, 2, 30, 40], score: 0.9, label })
  using run = new RecordedRun(
    [
      { name: 'a.jpg', objects: [object('dog'), object('bus'), object('dog')] },
      { name: 'b.jpg', objects: [] },
      { name: 'c.jpg', objects: [object('bicycle')] },
    ],
    'objects',
  )
  const { images, annotations, categories } = await coco(run)
  assert.deepEqual(categories, [
    { id: 1, name: 'bicycle', supercategory: 'object' },
    { id: 2, name: 'bus', supercategory: 'object' },
    { id: 3, name: 'dog', supercategory: 'object' },
  ])
  assert.deepEqual(
    images.map(({ id, file_name }) => `${id} ${file_name}`),
    ['1 a.jpg', '2 b.jpg', '3 c.jpg'],
  )
  const common = { bbox: [1, 2, 30, 40], area: 1200, iscrowd: 0, score: 0.9 }
  assert.deepEqual(annotations, [
    { id: 1, image_id: 1, category_id: 3, ...common },
    { id: 2, image_id: 1, category_id: 2, ...common },
    { id: 3, image_id: 1, category_id: 3, ...common },
    { id: 4, image_id: 3, category_id: 1, ...common },
  ])
})

test('labels of whole images stand with the images, and nothing is annotated', async () => {
  const labels = [
    { label: 'tench', score: 0.8 },
    { label: 'coho', score: 0.1 },
  ]
  using run = new RecordedRun([{ name: 'a.jpg', labels }], 'classify')
  const { images, annotations, categories } = await coco(run)
  assert.deepEqual(images, [{ id: 1, file_name: 'a.jpg', width: 400, height: 300, labels }])
  assert.deepEqual([annotations, categories], [[], []])
})
