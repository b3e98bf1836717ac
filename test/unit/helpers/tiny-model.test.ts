import assert from 'node:assert/strict'
import { test } from 'node:test'
import ort from 'onnxruntime-node'
import sharp from 'sharp'
import { type DrawnPhoto, drawnPhoto } from '../../helpers/drawn-images.ts'
import { tinyDetector } from '../../helpers/tiny-model.ts'

// The runtime would leave an identifier in the home of whoever runs the tests.
process.env.ORT_DISABLE_TELEMETRY = '1'

type Found = { box: number[]; score: number; keypoints: number[] }

/** YuNet's decoding as its authors publish it: cells, strides, square root of cls and obj. */
async function detect(photo: Omit<DrawnPhoto, 'width' | 'height'>): Promise<Found[]> {
  const picture = await drawnPhoto({ width: 640, height: 640, ...photo })
  const { data } = await sharp(picture).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const plane = 640 * 640
  const input = new Float32Array(3 * plane)
  for (let pixel = 0; pixel < plane; pixel++) {
    for (let channel = 0; channel < 3; channel++) input[(2 - channel) * plane + pixel] = data[pixel * 3 + channel]!
  }
  const session = await ort.InferenceSession.create(tinyDetector(), { logSeverityLevel: 3 })
  const outputs = await session.run({ input: new ort.Tensor('float32', input, [1, 3, 640, 640]) })
  await session.release()
  return [8, 16, 32].flatMap((stride) => decode(outputs, stride))
}

function decode(outputs: ort.InferenceSession.OnnxValueMapType, stride: number): Found[] {
  const columns = 640 / stride
  const read = (name: string) => (outputs[`${name}_${stride}`] as ort.Tensor).data as Float32Array
  const [cls, obj, bbox, kps] = [read('cls'), read('obj'), read('bbox'), read('kps')]
  assert.deepEqual(outputs[`kps_${stride}`]!.dims, [1, columns ** 2, 10])
  return [...cls.keys()].flatMap((cell) => {
    const score = Math.sqrt(cls[cell]! * obj[cell]!)
    if (score < 0.5) return []
    const at = [cell % columns, Math.floor(cell / columns)]
    const size = Math.exp(bbox[cell * 4 + 2]!) * stride
    const corner = [0, 1].map((axis) => (at[axis]! + bbox[cell * 4 + axis]!) * stride - size / 2)
    const keypoints = [...kps.subarray(cell * 10, cell * 10 + 10)].map((v, index) => (v + at[index % 2]!) * stride)
    return [{ box: [...corner, size, size], score, keypoints }]
  })
}

/** Boxes that differ by less than a pixel and a half are one after NMS. */
function distinct(found: Found[]): number[][] {
  const boxes: number[][] = []
  for (const { box } of found) if (!boxes.some((other) => closeTo(box, other))) boxes.push(box)
  return boxes.sort((a, b) => a[0]! - b[0]!)
}

function closeTo(a: number[], b: number[]): boolean {
  return a.every((value, index) => Math.abs(value - b[index]!) < 1.5)
}

function assertBoxes(found: Found[], squares: number[][]): void {
  const boxes = distinct(found)
  const wanted = squares.map(([x, y, size]) => [x, y, size, size])
  assert.ok(
    boxes.length === wanted.length && boxes.every((box, index) => closeTo(box, wanted[index] as number[])),
    `found ${JSON.stringify(boxes)}, wanted ${JSON.stringify(wanted)}`,
  )
}

test('squares of every size are found where they are, once', async () => {
  const squares: [number, number, number][] = [
    [20, 30, 12],
    [100, 500, 90],
    [133, 57, 41],
    [300, 100, 250],
    [560, 560, 64],
  ]
  const found = await detect({ squares, format: 'jpeg' })
  assertBoxes(found, squares)
  for (const { score } of found) assert.ok(Math.abs(score - 0.9) < 0.001)
})

test('sizes from 8 to 290 pixels are all found, at any position', async () => {
  for (let size = 8; size < 290; size = Math.ceil(size * 1.35)) {
    const squares: [number, number, number][] = [[300 - size / 2 - (size % 13), 310 - (size % 29), size]]
    squares[0]![0] = Math.round(squares[0]![0])
    assertBoxes(await detect({ squares, format: 'png' }), squares)
  }
})

test('a square in the corner has its keypoints inside, in the order of a face', async () => {
  const [first] = await detect({ squares: [[0, 600, 40]], format: 'png' })
  const [right, left, nose, mouth] = [0, 1, 2, 3].map((index) => first!.keypoints.slice(index * 2, index * 2 + 2))
  assert.ok(0 < right![0]! && right![0]! < left![0]! && left![0]! < 40)
  assert.ok(600 < right![1]! && right![1]! < nose![1]! && nose![1]! < mouth![1]! && mouth![1]! < 640)
})

test('other colours, other shapes and an empty picture are nothing', async () => {
  for (const background of ['#000000', '#ffffff', '#ff0000', '#0000ff', '#808080', '#ff00ff']) {
    assert.deepEqual(await detect({ squares: [], background }), [], background)
  }
  // Two squares side by side are one oblong
  const oblong = await detect({
    squares: [
      [200, 200, 40],
      [240, 200, 40],
    ],
    format: 'png',
  })
  assert.deepEqual(oblong, [])
})
