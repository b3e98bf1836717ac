import { join } from 'node:path'
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

/** OUT/coco.json: images and annotations as COCO's detection and keypoint tasks have them, boxes in pixels. */
export async function writeCoco(results: Results): Promise<void> {
  await writeTextDurably(join(results.out, 'coco.json'), document(results))
}

function* document(results: Results): Iterable<string> {
  yield '{"info":{"description":"cpn predictions"},"licenses":[],\n"categories":'
  yield `${JSON.stringify([face])},\n"images":[`
  yield* list(images(results))
  yield '],\n"annotations":['
  yield* list(annotations(results))
  yield ']}\n'
}

function* list(items: Iterable<object>): Iterable<string> {
  let separator = '\n'
  for (const item of items) {
    yield separator + JSON.stringify(item)
    separator = ',\n'
  }
}

/** Both lists count the same images, so that ids agree. */
function* done(results: Results): Iterable<{ id: number; name: string; result: NonNullable<FinishedLine['result']> }> {
  let id = 0
  for (const { name, state, result } of results.lines())
    if (state === 'done' && result) yield { id: ++id, name, result }
}

function* images(results: Results): Iterable<object> {
  for (const { id, name, result } of done(results)) {
    yield { id, file_name: name, width: result.width, height: result.height }
  }
}

function* annotations(results: Results): Iterable<object> {
  let id = 0
  for (const image of done(results)) {
    for (const each of toldFaces(image.result)) yield { id: ++id, image_id: image.id, ...annotation(each) }
  }
}

function annotation({ box, score, keypoints, person, similarity }: ToldFace): object {
  return {
    category_id: face.id,
    bbox: box,
    area: box[2] * box[3],
    iscrowd: 0,
    score,
    // 2: labelled and visible.
    ...(keypoints ? { keypoints: keypoints.flatMap(([x, y]) => [x, y, 2]), num_keypoints: keypoints.length } : {}),
    attributes: { person, similarity },
  }
}
