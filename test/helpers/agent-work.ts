import { contentDigest, sha256 } from '../../src/common/digest.ts'
import { encodePredictHeaders, type PredictHeaders } from '../../src/protocol/headers.ts'
import { modelRefSchema } from '../../src/protocol/model.ts'
import type { FacesPipeline } from '../../src/protocol/pipeline.ts'
import type { AttemptRequest } from '../../src/scheduler/scheduler.ts'
import { drawnPhoto } from './drawn-images.ts'
import { tinyManifest } from './tiny-model.ts'

/** The pipeline that finds the squares of drawnPhoto(). */
export function squaresPipeline(): FacesPipeline {
  const model = modelRefSchema.parse(tinyManifest())
  const detector = { model, scoreThreshold: 0.6, nmsThreshold: 0.3 }
  return { kind: 'faces', detector, annotate: 'preview', maxPixels: 100_000_000 }
}

export function photoWithOneFace(): Promise<Buffer> {
  return drawnPhoto({ width: 640, height: 480, squares: [[100, 120, 80]] })
}

/** One attempt as a scheduler asks for it. */
export function attempt(image: Buffer, changes: Partial<AttemptRequest> = {}): AttemptRequest {
  return {
    job: { id: sha256(image), bytes: image.length, read: async () => Buffer.from(image) },
    attempt: 1,
    epoch: 1,
    run: 'run-1',
    pipeline: squaresPipeline(),
    deadlineMs: 60_000,
    signal: new AbortController().signal,
    ...changes,
  }
}

/** Headers of a correct predict request. */
export function predictHeaders(image: Buffer, changes: Partial<PredictHeaders> = {}): Record<string, string> {
  const headers = { job: sha256(image), run: 'run-1', attempt: 1, epoch: 1, deadlineMs: 60_000, ...changes }
  return {
    ...encodePredictHeaders({ pipeline: squaresPipeline(), ...headers }),
    'content-digest': contentDigest(image),
    'content-length': String(image.length),
  }
}
