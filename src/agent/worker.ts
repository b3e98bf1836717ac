import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { toCpnError } from '../common/errors.ts'
import { encodeFrame } from '../protocol/framing.ts'
import type { PredictAnswer } from '../protocol/messages.ts'
import { executionProviders } from './inference.ts'
import { ModelLoader } from './model-loader.ts'
import { predictFaces } from './pipelines/faces.ts'
import { LabelPainter } from './vision/label-painter.ts'
import { Scratch } from './vision/scratch.ts'
import { SupervisorPipe } from './worker-frames.ts'
import { type FromWorker, pipeFd, type ToWorker, type WorkerArguments } from './worker-messages.ts'

const { modelsDir, font } = workerArguments()
const models = new ModelLoader(modelsDir, 1)
const painter = new LabelPainter(font)
const scratch = new Scratch()
const received = new Scratch()
const supervisor = new SupervisorPipe<ToWorker, FromWorker>(pipeFd)

supervisor.send({ type: 'ready', executionProviders })
for (;;) {
  const job = supervisor.receive((bytes) => received.take(bytes))
  if (!job) process.exit()
  await handle(job.message, job.raw)
  // While it waits nothing else runs: let native libraries free what they had for this job.
  await setImmediate()
}

/** One job after the other: a worker has one core. */
async function handle({ job, attempt, epoch, pipeline }: ToWorker, image: Buffer): Promise<void> {
  try {
    const detector = await models.detector(pipeline.detector.model)
    const embedder = pipeline.embedder && (await models.embedder(pipeline.embedder.model))
    const result = await predictFaces(image, pipeline, { detector, embedder, painter, scratch })
    const answer: PredictAnswer = { job, attempt, epoch, ...result.answer }
    const { body, jsonBytes } = encodeFrame(answer, result.parts)
    supervisor.send({ type: 'done', digest: digestOf(body), jsonBytes }, body)
  } catch (error) {
    const { code, message, retryable, suggestions } = toCpnError(error)
    supervisor.send({ type: 'failed', error: { code, message, retryable, suggestions } })
  }
}

/** Taken here, where the bytes were made and time is not everybody's. */
function digestOf(body: Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const piece of body) hash.update(piece)
  return hash.digest('base64')
}

function workerArguments(): WorkerArguments {
  const options = { 'models-dir': { type: 'string' }, font: { type: 'string' } } as const
  const { values } = parseArgs({ options })
  if (values['models-dir'] === undefined || values.font === undefined) {
    throw new Error('a worker is started by its agent: --models-dir DIR --font FILE')
  }
  return { modelsDir: values['models-dir'], font: values.font }
}
