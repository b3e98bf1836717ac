import { checkSignature, yoloxFields, yoloxStrides } from '../../protocol/families.ts'
import type { FoundObject } from '../../protocol/messages.ts'
import type { ModelRef } from '../../protocol/model.ts'
import type { FloatTensor, Session } from '../inference.ts'
import { suppress } from '../vision/detection.ts'
import { LetterboxTensor } from '../vision/letterbox.ts'
import type { ObjectDetector, ObjectDetectorFamily } from './family.ts'

/** YOLOX without its decoding in the graph: three grids of cells, each with a box, an objectness and a score per class. */
export const yolox: ObjectDetectorFamily = {
  name: 'yolox',
  task: 'detect-objects',
  check: (session) => checkSignature('yolox', session.signature),
  create,
}

function create(session: Session, model: ModelRef): ObjectDetector {
  const [height, width] = session.signature.inputs[0]!.dims.slice(2) as [number, number]
  const tensor = new LetterboxTensor(width, height, model.preprocess)
  return {
    async detect(raster, { scoreThreshold, nmsThreshold }) {
      const { scale } = tensor.fill(raster)
      const [output] = Object.values(await session.run(tensor))
      const found = decode(output!, width, height, scoreThreshold)
      return suppressByClass(found, nmsThreshold).map(({ box: [x, y, across, down], ...object }) => ({
        ...object,
        box: [x / scale, y / scale, across / scale, down / scale],
      }))
    },
  }
}

/** A thing may stand in front of one of another class. */
function suppressByClass(objects: FoundObject[], threshold: number): FoundObject[] {
  const classes = Map.groupBy(objects, (object) => object.class)
  return [...classes.values()].flatMap((same) => suppress(same, threshold)).sort((a, b) => b.score - a.score)
}

/** Objects in pixels of the input: each cell has one, of the class it finds likeliest. */
function decode({ data, dims }: FloatTensor, width: number, height: number, threshold: number): FoundObject[] {
  const fields = dims[2]!
  const found: FoundObject[] = []
  let at = 0
  for (const stride of yoloxStrides) {
    const columns = width / stride
    const cells = columns * (height / stride)
    for (let cell = 0; cell < cells; cell++, at += fields) {
      const objectness = data[at + 4]!
      // No class makes it more.
      if (!(objectness >= threshold)) continue
      const best = highest(data, at + yoloxFields, at + fields)
      const score = Math.min(1, Math.max(0, objectness * data[best]!))
      if (!(score >= threshold)) continue
      const box = boxOf(data, at, cell % columns, Math.floor(cell / columns), stride)
      found.push({ class: best - at - yoloxFields, box, score })
    }
  }
  return found
}

/** Offsets are in grid steps from the cell, sizes are logarithms of grid steps. */
function boxOf(data: Float32Array, at: number, column: number, row: number, stride: number): FoundObject['box'] {
  const width = Math.exp(data[at + 2]!) * stride
  const height = Math.exp(data[at + 3]!) * stride
  const left = (column + data[at]!) * stride - width / 2
  const top = (row + data[at + 1]!) * stride - height / 2
  return [left, top, width, height]
}

function highest(data: Float32Array, from: number, to: number): number {
  let best = from
  for (let i = from + 1; i < to; i++) if (data[i]! > data[best]!) best = i
  return best
}
