import { join } from 'node:path'
import type { LabelledObject } from '../labelled.ts'
import type { FinishedLine, Results } from './results.ts'
import { type ToldFace, toldFaces } from './told-face.ts'
import { writeTextDurably } from './write-text.ts'

/**
 * One category: training and evaluation are about faces, whoever they belong to. Who it is stands in `attributes`, where
 * CVAT and FiftyOne look for it; categories of names would differ from run to run.
 */
const face = {
  id: 1,
  name: 'face',
  supercategory: 'person',
  keypoints: ['right_eye', 'left_eye', 'nose', 'right_mouth_corner', 'left_mouth_corner'],
  skeleton: [],
}

/** Of categories, by label. */
type CategoryIds = ReadonlyMap<string, number>

/** OUT/coco.json: images and annotations as COCO's detection and keypoint tasks have them, boxes in pixels. */
export async function writeCoco(results: Results): Promise<void> {
  await writeTextDurably(join(results.out, 'coco.json'), document(results))
}

function* document(results: Results): Iterable<string> {
  const ids = categoryIds(results)
  yield '{"info":{"description":"cpn predictions"},"licenses":[],\n"categories":['
  yield* list(results.kind === 'faces' ? [face] : categories(ids))
  yield '],\n"images":['
  yield* list(images(results))
  yield '],\n"annotations":['
  yield* list(annotations(results, ids))
  yield ']}\n'
}

function* list(items: Iterable<object>): Iterable<string> {
  let separator = '\n'
  for (const item of items) {
    yield separator + JSON.stringify(item)
    separator = ',\n'
  }
}

/** Labels of what was found, numbered in their order: nothing else is known of a model's labels here. */
function categoryIds(results: Results): CategoryIds {
  const labels = new Set<string>()
  if (results.kind === 'objects') {
    for (const { result } of done(results)) for (const { label } of result.objects ?? []) labels.add(label)
  }
  return new Map([...labels].sort().map((label, index) => [label, index + 1]))
}

function* categories(ids: CategoryIds): Iterable<object> {
  for (const [name, id] of ids) yield { id, name, supercategory: 'object' }
}

/** All lists count the same images, so that ids agree. */
function* done(results: Results): Iterable<{ id: number; name: string; result: NonNullable<FinishedLine['result']> }> {
  let id = 0
  for (const { name, state, result } of results.lines())
    if (state === 'done' && result) yield { id: ++id, name, result }
}

/** COCO has no labels of whole images: they stand beside the size, where whoever does not know them reads past them. */
function* images(results: Results): Iterable<object> {
  for (const { id, name, result } of done(results)) {
    const { width, height, labels } = result
    yield { id, file_name: name, width, height, ...(labels ? { labels } : {}) }
  }
}

function* annotations(results: Results, ids: CategoryIds): Iterable<object> {
  let id = 0
  for (const image of done(results)) {
    const { objects } = image.result
    const found = objects
      ? objects.map((each) => objectAnnotation(each, ids))
      : toldFaces(image.result).map((each) => faceAnnotation(each))
    for (const annotation of found) yield { id: ++id, image_id: image.id, ...annotation }
  }
}

function objectAnnotation({ box, score, label }: LabelledObject, ids: CategoryIds): object {
  return { category_id: ids.get(label), ...placed(box), score }
}

function faceAnnotation({ box, score, keypoints, person, similarity }: ToldFace): object {
  return {
    category_id: face.id,
    ...placed(box),
    score,
    // 2: labelled and visible.
    ...(keypoints ? { keypoints: keypoints.flatMap(([x, y]) => [x, y, 2]), num_keypoints: keypoints.length } : {}),
    attributes: { person, similarity },
  }
}

const placed = (box: ToldFace['box']) => ({ bbox: box, area: box[2] * box[3], iscrowd: 0 })
