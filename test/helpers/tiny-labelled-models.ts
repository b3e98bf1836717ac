import { sha256 } from '../../src/common/digest.ts'
import { familyDefaults } from '../../src/models/defaults.ts'
import type { ModelManifest } from '../../src/protocol/model.ts'
import { encodeOnnx } from './onnx-writer.ts'
import { Graph } from './tiny-model.ts'

const side = 128
const strides = [8, 16, 32]

/**
 * An ONNX model of the yolox family that knows red and blue squares of 32 pixels in the cells of its coarsest grid. Each is
 * found once in that grid, with a score of 0.9, and once by each quarter of it in the grid before, with 0.8: all but one
 * have to go. A quarter of another colour is an object of its own class in the same place.
 */
export function tinyObjectDetector(): Buffer {
  const graph = new Graph()
  const colours = [colourfulness(graph, 2, [0, 1]), colourfulness(graph, 0, [1, 2])]
  const parts = strides.map((stride) => cellsOf(graph, colours, stride))
  const all = graph.op('Concat', parts, { axis: 2 })
  graph.op('Transpose', [all], { perm: [0, 2, 1] }, 'output')
  const { nodes, initializers } = graph
  const cells = strides.reduce((sum, stride) => sum + (side / stride) ** 2, 0)
  return encodeOnnx({
    nodes,
    initializers,
    inputs: [{ name: 'images', dims: [1, 3, side, side] }],
    outputs: [{ name: 'output', dims: [1, cells, 7] }],
  })
}

/** How much a channel stands out, 0 to 1, per pixel. */
function colourfulness(graph: Graph, channel: number, others: [number, number]): string {
  const slice = (index: number) =>
    graph.op('Slice', ['images', graph.integers(index), graph.integers(index + 1), graph.integers(1)])
  return graph.op('Mul', [graph.op('Sub', [slice(channel), graph.op('Max', others.map(slice))]), graph.number(1 / 255)])
}

/** [1, 7, cells]: centre, size, objectness, and a score for either colour. */
function cellsOf(graph: Graph, colours: string[], stride: number): string {
  const across = side / stride
  const flat = (value: string) => graph.op('Reshape', [value, graph.integers(1, 1, across ** 2)])
  const scores = colours.map((colour) => {
    const mean = graph.op('AveragePool', [colour], { kernel_shape: [stride, stride], strides: [stride, stride] })
    const steep = graph.op('Mul', [graph.op('Sub', [mean, graph.number(0.7)]), graph.number(4)])
    return flat(graph.op('Clip', [steep, graph.number(0), graph.number(1)]))
  })
  const sure = { 8: 0, 16: 0.8, 32: 0.9 }[stride]!
  const objectness = graph.op('Mul', [graph.op('Max', scores), graph.number(sure)])
  return graph.op('Concat', [graph.constant(boxes(stride), [1, 4, across ** 2]), objectness, ...scores], { axis: 1 })
}

/** Every cell means the 32 pixels that it is in. */
function boxes(stride: number): Float32Array {
  const across = side / stride
  const middle = (index: number) => (Math.floor((index * stride) / 32) + 0.5) * (32 / stride) - index
  const each = (value: (cell: number) => number) => Array.from({ length: across ** 2 }, (_, cell) => value(cell))
  const size = each(() => Math.log(32 / stride))
  return Float32Array.from([
    ...each((cell) => middle(cell % across)),
    ...each((cell) => middle(Math.floor(cell / across))),
    ...size,
    ...size,
  ])
}

export function tinyObjectsManifest(): ModelManifest {
  const bytes = tinyObjectDetector()
  return {
    name: 'tiny-objects',
    version: '1',
    family: 'yolox',
    task: 'detect-objects',
    description: 'Finds red and blue squares; made by the tests',
    sha256: sha256(bytes),
    bytes: bytes.length,
    licence: 'Apache-2.0',
    urls: [],
    ...familyDefaults.yolox,
    labels: ['red square', 'blue square'],
  }
}

/** An ONNX model of the classifier family: of red, green and blue, the channel with the highest mean is the likeliest. */
export function tinyClassifier(): Buffer {
  const graph = new Graph()
  const means = graph.op('GlobalAveragePool', ['input'])
  graph.op('Reshape', [means, graph.integers(1, 3)], undefined, 'output')
  const { nodes, initializers } = graph
  return encodeOnnx({
    nodes,
    initializers,
    inputs: [{ name: 'input', dims: [1, 3, 32, 32] }],
    outputs: [{ name: 'output', dims: [1, 3] }],
  })
}

export function tinyClassifierManifest(): ModelManifest {
  const bytes = tinyClassifier()
  return {
    name: 'tiny-colours',
    version: '1',
    family: 'classifier',
    task: 'classify',
    description: 'Says which colour a picture has; made by the tests',
    sha256: sha256(bytes),
    bytes: bytes.length,
    licence: 'Apache-2.0',
    urls: [],
    preprocess: { channels: 'RGB', mean: [0, 0, 0], std: [51, 51, 51] },
    thresholds: {},
    labels: ['red', 'green', 'blue'],
  }
}
