import { CpnError } from '../common/errors.ts'
import type { FamilyName, ModelManifest } from './model.ts'

/** One input or output of a model. A dimension is null when it is dynamic (in a model) or free (in a signature). */
export interface TensorInfo {
  name: string
  /** ONNX element type in lower case: float32, uint8, … */
  type: string
  dims: (number | null)[]
}

/** What a model file declares; initializers are no inputs. */
export interface ModelSignature {
  inputs: TensorInfo[]
  outputs: TensorInfo[]
}

/** A tensor that a family wants; without a name it is the only one and may be called anything. */
type Expected = Omit<TensorInfo, 'name'> & { name: string | null }

export interface FamilySignature {
  task: ModelManifest['task']
  inputs: Expected[]
  outputs: Expected[]
  /** Families that tell classes apart: how many a model knows, null where its file leaves that open. */
  classes?: (model: ModelSignature) => number | null
}

const float = (name: string | null, ...dims: (number | null)[]): Expected => ({ name, type: 'float32', dims })

/** Steps of YuNet's three grids, in pixels of its input. */
export const yunetStrides = [8, 16, 32] as const
/** Steps of YOLOX's three grids. */
export const yoloxStrides = [8, 16, 32] as const
/** Numbers of a YOLOX cell before its classes: centre, size and objectness. */
export const yoloxFields = 5

/** What the models of each family take and give. Images are NCHW. */
export const familySignatures: Record<FamilyName, FamilySignature> = {
  yunet: {
    task: 'detect-faces',
    inputs: [float(null, 1, 3, null, null)],
    outputs: yunetStrides.flatMap((stride) => [
      float(`cls_${stride}`, 1, null, 1),
      float(`obj_${stride}`, 1, null, 1),
      float(`bbox_${stride}`, 1, null, 4),
      float(`kps_${stride}`, 1, null, 10),
    ]),
  },
  ultraface: {
    task: 'detect-faces',
    inputs: [float(null, 1, 3, null, null)],
    outputs: [float('scores', 1, null, 2), float('boxes', 1, null, 4)],
  },
  arcface: {
    task: 'embed-faces',
    inputs: [float(null, 1, 3, 112, 112)],
    outputs: [float(null, 1, 128)],
  },
  yolox: {
    task: 'detect-objects',
    inputs: [float(null, 1, 3, null, null)],
    outputs: [float(null, 1, null, null)],
    classes: ({ outputs }) => {
      const fields = outputs[0]!.dims[2] ?? null
      return fields === null ? null : fields - yoloxFields
    },
  },
  classifier: {
    task: 'classify',
    inputs: [float(null, 1, 3, null, null)],
    outputs: [float(null, 1, null)],
    classes: ({ outputs }) => outputs[0]!.dims[1] ?? null,
  },
}

/** Throws CPN_ERR_MODEL_INVALID, naming the first tensor that does not fit, for a model that is none of the family. */
export function checkSignature(family: FamilyName, model: ModelSignature): void {
  const { inputs, outputs } = familySignatures[family]
  checkTensors(family, 'input', inputs, model.inputs)
  checkTensors(family, 'output', outputs, model.outputs)
  if (family === 'yunet') checkYunetInput(model)
  if (family === 'yolox') checkYoloxGrids(model)
}

/**
 * Throws CPN_ERR_MODEL_INVALID unless a model that tells classes apart has a label for each.
 * @param model one that passed checkSignature()
 */
export function checkLabels(family: FamilyName, model: ModelSignature, labels: readonly string[] | undefined): void {
  const { classes } = familySignatures[family]
  if (!classes) return
  const count = classes(model)
  if (!labels) throw misfit(family, `nothing says what its ${count ?? ''} classes are called`, labelsHint)
  if (count === null || count === labels.length) return
  throw misfit(family, `it has ${count} classes, and there are ${labels.length} labels`, labelsHint)
}

const labelsHint =
  'Name every class, in the order of its output: --labels FILE with one a line, or `labels` in a manifest.'

function checkTensors(family: FamilyName, kind: 'input' | 'output', expected: Expected[], actual: TensorInfo[]): void {
  for (const want of expected) {
    const found = want.name === null ? actual[0] : actual.find((tensor) => tensor.name === want.name)
    if (!found) throw misfit(family, `it has no ${kind} ${describe(want)}`)
    if (!fits(want, found)) throw misfit(family, `its ${kind} ${describe(found)} should be ${describe(want)}`)
  }
  const extra = kind === 'input' ? actual[expected.length] : undefined
  if (extra) throw misfit(family, `it wants one more input, ${describe(extra)}`)
}

function fits(want: Expected, found: TensorInfo): boolean {
  if (want.type !== found.type || want.dims.length !== found.dims.length) return false
  return want.dims.every((dim, i) => dim === null || found.dims[i] === null || found.dims[i] === dim)
}

/** The grids only line up on sizes that the largest step divides. */
function checkYunetInput({ inputs, outputs }: ModelSignature): void {
  const [height, width] = inputs[0]!.dims.slice(2) as [number | null, number | null]
  if ((height ?? 0) % 32 !== 0 || (width ?? 0) % 32 !== 0) {
    throw misfit('yunet', `its input is ${width}x${height} pixels, which are no multiples of 32`)
  }
  if (height === null || width === null) return
  for (const stride of yunetStrides) {
    const cells = outputs.find(({ name }) => name === `cls_${stride}`)!.dims[1] ?? null
    const expected = (height / stride) * (width / stride)
    if (cells !== null && cells !== expected) {
      throw misfit('yunet', `its output cls_${stride} has ${cells} cells where its input makes ${expected}`)
    }
  }
}

/** Boxes are told by the grids' cells, so that there have to be as many as the input makes. */
function checkYoloxGrids({ inputs, outputs }: ModelSignature): void {
  const [height, width] = inputs[0]!.dims.slice(2) as [number | null, number | null]
  if (height === null || width === null || height % 32 !== 0 || width % 32 !== 0) {
    throw misfit('yolox', `its input is ${width ?? '?'}x${height ?? '?'} pixels, which have to be multiples of 32`)
  }
  const [, cells, fields] = outputs[0]!.dims as [unknown, number | null, number | null]
  const expected = yoloxStrides.reduce((sum, stride) => sum + (height / stride) * (width / stride), 0)
  if (cells !== null && cells !== expected) {
    throw misfit('yolox', `its output has ${cells} cells where its input makes ${expected}`)
  }
  if (fields !== null && fields <= yoloxFields) throw misfit('yolox', `its output has no room for classes`)
}

function misfit(
  family: FamilyName,
  reason: string,
  hint = 'Choose a model of this family, or the family of this model.',
): CpnError {
  return new CpnError('CPN_ERR_MODEL_INVALID', `the model does not fit the family ${family}: ${reason}`, {
    suggestions: [hint],
  })
}

function describe({ name, type, dims }: Expected): string {
  const shape = `${type}[${dims.map((dim) => dim ?? '?').join(',')}]`
  return name === null ? shape : `${name} ${shape}`
}
