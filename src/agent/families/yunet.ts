import { checkSignature, yunetStrides } from '../../protocol/families.ts'
import type { ModelRef } from '../../protocol/model.ts'
import type { FloatTensor, Session } from '../inference.ts'
import { type Detection, type Point, scaleDetection, suppress } from '../vision/detection.ts'
import { LetterboxTensor } from '../vision/letterbox.ts'
import type { Raster } from '../vision/raster.ts'
import type { DetectOptions, Detector, DetectorFamily } from './family.ts'

/** Longest edge of the input where the model leaves it open. */
const longestEdge = 640

/** YuNet: three grids of cells, each with a class score, an objectness, a box and five points. */
export const yunet: DetectorFamily = {
  name: 'yunet',
  task: 'detect-faces',
  check: (session) => checkSignature('yunet', session.signature),
  create,
}

function create(session: Session, model: ModelRef): Detector {
  const [fixedHeight, fixedWidth] = session.signature.inputs[0]!.dims.slice(2) as [number | null, number | null]
  const memory = new Float32Array(3 * (fixedWidth ?? longestEdge) * (fixedHeight ?? longestEdge))
  let tensor: LetterboxTensor | undefined
  const tensorFor = (raster: Raster, inputEdge: number): LetterboxTensor => {
    const width = fixedWidth ?? openEdge(raster.width, raster, inputEdge)
    const height = fixedHeight ?? openEdge(raster.height, raster, inputEdge)
    if (tensor?.width !== width || tensor.height !== height) {
      tensor = new LetterboxTensor(width, height, model.preprocess, memory)
    }
    return tensor
  }
  return {
    anySize: fixedWidth === null && fixedHeight === null,
    async detect(raster, options) {
      const tensor = tensorFor(raster, options.inputEdge ?? longestEdge)
      const { scale } = tensor.fill(raster)
      const found = decode(await session.run(tensor), tensor.width, tensor.height, options)
      return suppress(found, options.nmsThreshold).map((face) => scaleDetection(face, 1 / scale, 1 / scale))
    },
  }
}

/** An edge of the image in the input, rounded up to the largest grid step. */
function openEdge(edge: number, { width, height }: Raster, inputEdge: number): number {
  return Math.max(32, Math.ceil((edge * inputEdge) / Math.max(width, height) / 32) * 32)
}

function decode(
  outputs: Record<string, FloatTensor>,
  width: number,
  height: number,
  { scoreThreshold }: DetectOptions,
): Detection[] {
  const found: Detection[] = []
  for (const stride of yunetStrides) {
    const columns = width / stride
    const cells = columns * (height / stride)
    const classes = outputs[`cls_${stride}`]!.data
    const objects = outputs[`obj_${stride}`]!.data
    for (let cell = 0; cell < cells; cell++) {
      const score = Math.sqrt(unit(classes[cell]!) * unit(objects[cell]!))
      if (score < scoreThreshold) continue
      const boxes = outputs[`bbox_${stride}`]!.data
      const points = outputs[`kps_${stride}`]!.data
      found.push(decodeCell(boxes, points, cell, cell % columns, Math.floor(cell / columns), stride, score))
    }
  }
  return found
}

/** Offsets are in grid steps from the cell, sizes are logarithms of grid steps. */
function decodeCell(
  boxes: Float32Array,
  points: Float32Array,
  cell: number,
  column: number,
  row: number,
  stride: number,
  score: number,
): Detection {
  const at = cell * 4
  const boxWidth = Math.exp(boxes[at + 2]!) * stride
  const boxHeight = Math.exp(boxes[at + 3]!) * stride
  const left = (column + boxes[at]!) * stride - boxWidth / 2
  const top = (row + boxes[at + 1]!) * stride - boxHeight / 2
  const keypoints = Array.from({ length: 5 }, (_, i): Point => {
    const x = points[cell * 10 + i * 2]!
    const y = points[cell * 10 + i * 2 + 1]!
    return [(column + x) * stride, (row + y) * stride]
  })
  return { box: [left, top, boxWidth, boxHeight], score, keypoints }
}

function unit(value: number): number {
  return Math.min(1, Math.max(0, value))
}
