import { checkSignature } from '../../protocol/families.ts'
import type { FoundClass } from '../../protocol/messages.ts'
import type { ModelRef } from '../../protocol/model.ts'
import type { Session } from '../inference.ts'
import { LetterboxTensor } from '../vision/letterbox.ts'
import { crop, type Raster } from '../vision/raster.ts'
import type { Classifier, ClassifierFamily } from './family.ts'

/** Edge of the input where the model leaves it open, and the usual share of the shorter edge: 224 of 256 pixels. */
const usualEdge = 224
const usualCrop = 0.875

/** Networks that say what a picture as a whole shows: one number per class, not a probability yet (logits). */
export const classifier: ClassifierFamily = {
  name: 'classifier',
  task: 'classify',
  check: (session) => checkSignature('classifier', session.signature),
  create,
}

function create(session: Session, { preprocess }: ModelRef): Classifier {
  const [height, width] = session.signature.inputs[0]!.dims.slice(2) as [number | null, number | null]
  const tensor = new LetterboxTensor(width ?? usualEdge, height ?? usualEdge, preprocess)
  return {
    async classify(raster, top) {
      tensor.fill(middle(raster, preprocess.crop ?? usualCrop))
      const [output] = Object.values(await session.run(tensor))
      return likeliest(output!.data, top)
    },
  }
}

/** The square in the middle whose edge is a share of the shorter edge. */
function middle(raster: Raster, share: number): Raster {
  const { width, height } = raster
  const edge = Math.max(1, Math.round(Math.min(width, height) * share))
  return crop(raster, (width - edge) >> 1, (height - edge) >> 1, edge, edge)
}

/** Softmax over all classes, cut to the likeliest. */
function likeliest(logits: Float32Array, top: number): FoundClass[] {
  const highest = logits.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
  const weights = Array.from(logits, (value) => Math.exp(value - highest))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights
    .map((weight, index) => ({ class: index, score: weight / sum }))
    .sort((a, b) => b.score - a.score)
    .slice(0, top)
}
