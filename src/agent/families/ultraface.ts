import { checkSignature } from '../../protocol/families.ts'
import type { ModelRef } from '../../protocol/model.ts'
import type { Session } from '../inference.ts'
import { type Detection, scaleDetection, suppress } from '../vision/detection.ts'
import { LetterboxTensor } from '../vision/letterbox.ts'
import type { Detector, DetectorFamily } from './family.ts'

/** Ultra-Light-Fast-Generic-Face-Detector: decoded boxes as corners relative to the input, and no keypoints. */
export const ultraface: DetectorFamily = {
  name: 'ultraface',
  task: 'detect-faces',
  check: (session) => checkSignature('ultraface', session.signature),
  create,
}

function create(session: Session, model: ModelRef): Detector {
  const [height, width] = session.signature.inputs[0]!.dims.slice(2) as [number | null, number | null]
  const tensor = new LetterboxTensor(width ?? 320, height ?? 240, model.preprocess)
  return {
    anySize: false,
    async detect(raster, { scoreThreshold, nmsThreshold }) {
      const { scale } = tensor.fill(raster)
      const { scores, boxes } = await session.run(tensor)
      const found = decode(scores!.data, boxes!.data, scoreThreshold)
      const kept = suppress(
        found.map((face) => scaleDetection(face, tensor.width, tensor.height)),
        nmsThreshold,
      )
      return kept.map((face) => scaleDetection(face, 1 / scale, 1 / scale))
    },
  }
}

/** Scores come in pairs: background, face. */
function decode(scores: Float32Array, boxes: Float32Array, threshold: number): Detection[] {
  const found: Detection[] = []
  for (let i = 0; i < scores.length / 2; i++) {
    const score = scores[i * 2 + 1]!
    if (score < threshold) continue
    const [left, top, right, bottom] = boxes.subarray(i * 4, i * 4 + 4) as unknown as [number, number, number, number]
    if (right <= left || bottom <= top) continue
    found.push({ box: [left, top, right - left, bottom - top], score: Math.min(1, score), keypoints: null })
  }
  return found
}
