import { sha256 } from '../../src/common/digest.ts'
import type { ModelManifest } from '../../src/protocol/model.ts'
import { encodeOnnx, type OnnxNode, type OnnxTensor } from './onnx-writer.ts'

const side = 640
const base = 8
/**
 * Windows of each stride, in pixels. A window sees squares with sides from an eighth to five eighths of its own and
 * wants nothing else magenta in it: two squares should be further apart than they are wide.
 */
const windows: Record<number, number[]> = { 8: [48, 64], 16: [96, 160], 32: [224, 288, 480] }
/** Where the keypoints are in a square, relative to its centre, in parts of its side. */
const face: [number, number][] = [
  [-0.2, -0.15],
  [0.2, -0.15],
  [0, 0.05],
  [-0.15, 0.25],
  [0.15, 0.25],
]

let detector: Buffer | undefined

/**
 * An ONNX model of the yunet family whose faces are solid magenta squares of 6 to 300 pixels in its 640 x 640 input.
 * Each gives one box after NMS, exact to about a pixel, with a score of 0.9. It weighs the magenta in windows around a
 * cell: the area gives the side, the first moments give the centre, the second ones tell a square from other shapes.
 */
export function tinyDetector(): Buffer {
  detector ??= build()
  return detector
}

/** The manifest that goes with tinyDetector(). */
export function tinyManifest(urls: string[] = []): ModelManifest {
  const bytes = tinyDetector()
  return {
    name: 'tiny-squares',
    version: '1',
    family: 'yunet',
    sha256: sha256(bytes),
    preprocess: { channels: 'BGR', mean: [0, 0, 0], std: [1, 1, 1] },
    description: 'Finds magenta squares; made by the tests',
    task: 'detect-faces',
    bytes: bytes.length,
    licence: 'Apache-2.0',
    urls,
    thresholds: { score: 0.6, nms: 0.3 },
  }
}

/** Nodes and initializers of a graph in the making; every method answers with the name of a tensor. */
export class Graph {
  readonly nodes: OnnxNode[] = []
  readonly initializers: OnnxTensor[] = []

  op(op: string, inputs: string[], attributes?: OnnxNode['attributes'], name = `t${this.nodes.length}`): string {
    this.nodes.push({ op, inputs, outputs: [name], attributes })
    return name
  }

  constant(data: Float32Array | BigInt64Array, dims: number[]): string {
    const name = `c${this.initializers.length}`
    this.initializers.push({ name, dims, data })
    return name
  }

  number(value: number): string {
    return this.constant(new Float32Array([value]), [])
  }

  integers(...values: number[]): string {
    return this.constant(new BigInt64Array(values.map(BigInt)), [values.length])
  }
}

/** Centre and side of a square in pixels, and whether there is one, per cell: [1, 1, rows, columns] each. */
interface Found {
  valid: string
  x: string
  y: string
  size: string
}

function build(): Buffer {
  const graph = new Graph()
  const moments = baseMoments(graph)
  const outputs = Object.keys(windows).flatMap((key) => {
    const stride = Number(key)
    const found = windows[stride]!.map((window) => weigh(graph, moments, stride, window))
    return emit(
      graph,
      stride,
      found.reduce((a, b) => either(graph, a, b)),
    )
  })
  const { nodes, initializers } = graph
  return encodeOnnx({ nodes, initializers, inputs: [{ name: 'input', dims: [1, 3, side, side] }], outputs })
}

/** Mean of m, mx, my, mx² and my² over tiles of 8 pixels, with m from 0 to 1 by how magenta a pixel is. */
function baseMoments(graph: Graph): string {
  const channel = (index: number) =>
    graph.op('Slice', ['input', graph.integers(index), graph.integers(index + 1), graph.integers(1)])
  const excess = graph.op('Sub', [graph.op('Min', [channel(0), channel(2)]), channel(1)])
  const steep = graph.op('Sub', [graph.op('Mul', [excess, graph.number(2 / 255)]), graph.number(0.5)])
  const m = graph.op('Clip', [steep, graph.number(0), graph.number(1)])
  const weights = [
    [axis((at) => at), [1, 1, 1, side]],
    [axis((at) => at), [1, 1, side, 1]],
    [axis((at) => at * at), [1, 1, 1, side]],
    [axis((at) => at * at), [1, 1, side, 1]],
  ] as const
  const weighted = weights.map(([data, dims]) => graph.op('Mul', [m, graph.constant(data, [...dims])]))
  const all = graph.op('Concat', [m, ...weighted], { axis: 1 })
  return graph.op('AveragePool', [all], { kernel_shape: [base, base], strides: [base, base] })
}

/** A value per pixel of an axis; coordinates are counted from the middle, which keeps float32 exact enough. */
function axis(value: (at: number) => number): Float32Array {
  return Float32Array.from({ length: side }, (_, index) => value(index + 0.5 - side / 2))
}

function weigh(graph: Graph, moments: string, stride: number, window: number): Found {
  const before = (window - stride) / 2 / base
  const pooled = graph.op('AveragePool', [moments], {
    kernel_shape: [window / base, window / base],
    strides: [stride / base, stride / base],
    pads: [Math.floor(before), Math.floor(before), Math.ceil(before), Math.ceil(before)],
    count_include_pad: 1,
  })
  const part = (index: number) =>
    graph.op('Slice', [pooled, graph.integers(index), graph.integers(index + 1), graph.integers(1)])
  const mass = graph.op('Max', [part(0), graph.number(1e-6)])
  const mean = (index: number) => graph.op('Div', [part(index), mass])
  const x = mean(1)
  const y = mean(2)
  const area = graph.op('Mul', [mass, graph.number(window * window)])
  const size = graph.op('Sqrt', [area])
  const checks = [
    near(graph, x, cells(graph, stride, 'x'), graph.number(stride / 2)),
    near(graph, y, cells(graph, stride, 'y'), graph.number(stride / 2)),
    near(graph, size, graph.number(window * 0.375), graph.number(window * 0.25)),
    square(graph, mean(3), x, area),
    square(graph, mean(4), y, area),
  ]
  return { valid: checks.reduce((a, b) => graph.op('And', [a, b])), x, y, size }
}

/** Coordinates of the cells' middles. */
function cells(graph: Graph, stride: number, direction: 'x' | 'y'): string {
  const count = side / stride
  const data = Float32Array.from({ length: count }, (_, index) => (index + 0.5) * stride - side / 2)
  return graph.constant(data, direction === 'x' ? [1, 1, 1, count] : [1, 1, count, 1])
}

function near(graph: Graph, a: string, b: string, tolerance: string): string {
  return graph.op('LessOrEqual', [graph.op('Abs', [graph.op('Sub', [a, b])]), tolerance])
}

/** A solid square has a variance of area / 12 in both directions; more means several shapes or another one. */
function square(graph: Graph, meanOfSquares: string, mean: string, area: string): string {
  const variance = graph.op('Sub', [meanOfSquares, graph.op('Mul', [mean, mean])])
  const expected = graph.op('Div', [area, graph.number(12)])
  return near(graph, variance, expected, graph.op('Mul', [area, graph.number(0.02)]))
}

function either(graph: Graph, a: Found, b: Found): Found {
  const choose = (key: 'x' | 'y' | 'size') => graph.op('Where', [a.valid, a[key], b[key]])
  return { valid: graph.op('Or', [a.valid, b.valid]), x: choose('x'), y: choose('y'), size: choose('size') }
}

/** The four outputs of a stride, encoded as YuNet does: offsets from the cell's corner and logarithms, in strides. */
function emit(graph: Graph, stride: number, found: Found) {
  const half = graph.number(stride / 2)
  const scale = graph.number(1 / stride)
  const offset = (at: string, corner: string, shift: number) => {
    const moved = graph.op('Add', [at, graph.op('Mul', [found.size, graph.number(shift)])])
    return graph.op('Mul', [graph.op('Sub', [moved, corner]), scale])
  }
  const left = graph.op('Sub', [cells(graph, stride, 'x'), half])
  const top = graph.op('Sub', [cells(graph, stride, 'y'), half])
  const score = graph.op('Mul', [graph.op('Cast', [found.valid], { to: 1 }), graph.number(0.9)])
  const log = graph.op('Log', [graph.op('Mul', [found.size, scale])])
  const corner = [offset(found.x, left, 0), offset(found.y, top, 0)]
  const keypoints = face.flatMap(([dx, dy]) => [offset(found.x, left, dx), offset(found.y, top, dy)])
  return [
    list(graph, `cls_${stride}`, stride, [score]),
    list(graph, `obj_${stride}`, stride, [score]),
    list(graph, `bbox_${stride}`, stride, [...corner, log, log]),
    list(graph, `kps_${stride}`, stride, keypoints),
  ]
}

/** Maps of [1, 1, rows, columns] as one output of [1, cells, maps]. */
function list(graph: Graph, name: string, stride: number, maps: string[]) {
  const dims = [1, (side / stride) ** 2, maps.length]
  const rows = graph.op('Transpose', [graph.op('Concat', maps, { axis: 1 })], { perm: [0, 2, 3, 1] })
  graph.op('Reshape', [rows, graph.integers(...dims)], undefined, name)
  return { name, dims }
}

/** Another version of it: other bytes that find the same. */
export function tinyDetectorVersion(version: string): Buffer {
  const note = Buffer.from(`version ${version}`)
  // ModelProto.doc_string
  return Buffer.concat([tinyDetector(), Buffer.from([(6 << 3) | 2, note.length]), note])
}

/** An ONNX model of the arcface family: the means of 128 areas of a face's first colour. */
export function tinyEmbedder(): Buffer {
  const graph = new Graph()
  const first = graph.op('Slice', ['input', graph.integers(0), graph.integers(1), graph.integers(1)])
  const means = graph.op('AveragePool', [first], { kernel_shape: [14, 7], strides: [14, 7] })
  graph.op('Reshape', [means, graph.integers(1, 128)], undefined, 'embedding')
  const { nodes, initializers } = graph
  return encodeOnnx({
    nodes,
    initializers,
    inputs: [{ name: 'input', dims: [1, 3, 112, 112] }],
    outputs: [{ name: 'embedding', dims: [1, 128] }],
  })
}
