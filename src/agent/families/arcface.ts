import { checkSignature } from '../../protocol/families.ts'
import type { ModelRef } from '../../protocol/model.ts'
import type { Session } from '../inference.ts'
import { LetterboxTensor } from '../vision/letterbox.ts'
import type { Embedder, EmbedderFamily } from './family.ts'

/** Recognisers trained on faces aligned to ArcFace's five reference points. */
export const arcface: EmbedderFamily = {
  name: 'arcface',
  task: 'embed-faces',
  check: (session) => checkSignature('arcface', session.signature),
  create,
}

function create(session: Session, model: ModelRef): Embedder {
  const tensor = new LetterboxTensor(112, 112, model.preprocess)
  return {
    async embed(crop) {
      tensor.fill(crop)
      const [output] = Object.values(await session.run(tensor))
      return normalise(output!.data)
    },
  }
}

/** A copy of length 1, so that the cosine of two faces is their dot product. */
function normalise(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector) || 1
  return vector.map((value) => value / length)
}
