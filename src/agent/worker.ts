import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { CpnError, toCpnError } from '../common/errors.ts'
import { decodeGallery } from '../matching/gallery.ts'
import { Matcher } from '../matching/match.ts'
import { encodeFrame } from '../protocol/framing.ts'
import type { PredictAnswer } from '../protocol/messages.ts'
import { executionProviders } from './inference.ts'
import { ModelLoader } from './model-loader.ts'
import { drawMarks } from './pipelines/draw.ts'
import { type PipelineResult, predictFaces } from './pipelines/faces.ts'
import { predictClasses, predictObjects } from './pipelines/labelled.ts'
import { LabelPainter } from './vision/label-painter.ts'
import { Scratch } from './vision/scratch.ts'
import { SupervisorPipe } from './worker-frames.ts'
import { type FromWorker, type Order, pipeFd, type ToWorker, type WorkerArguments } from './worker-messages.ts'

const { modelsDir, fontsDir } = workerArguments()
const models = new ModelLoader(modelsDir, 1)
const painter = new LabelPainter(fontsDir)
const scratch = new Scratch()
const received = new Scratch()
const supervisor = new SupervisorPipe<ToWorker, FromWorker>(pipeFd)
/** The people that faces are matched with, as the supervisor sent them last. */
let gallery: { digest: string; matcher: Matcher } | undefined

supervisor.send({ type: 'ready', executionProviders })
for (;;) {
  const frame = supervisor.receive((bytes) => received.take(bytes))
  if (!frame) process.exit()
  if (frame.message.type === 'job') await handle(frame.message.order, frame.raw)
  else gallery = openGallery(frame.message.digest, frame.raw)
  // While it waits nothing else runs: let native libraries free what they had for this job.
  await setImmediate()
}

/** One job after the other: a worker has one core. */
async function handle(order: Order, image: Buffer): Promise<void> {
  try {
    const { job, attempt, epoch } = order
    const result = await resultOf(order, image)
    const answer: PredictAnswer = { job, attempt, epoch, ...result.answer }
    const { body, jsonBytes } = encodeFrame(answer, result.parts)
    supervisor.send({ type: 'done', digest: digestOf(body), jsonBytes }, body)
  } catch (error) {
    const { code, message, retryable, suggestions } = toCpnError(error)
    supervisor.send({ type: 'failed', error: { code, message, retryable, suggestions } })
  }
}

async function resultOf({ pipeline, matching, marks = [] }: Order, image: Buffer): Promise<PipelineResult> {
  if (pipeline.kind === 'draw') return drawMarks(image, pipeline, marks, { painter, scratch })
  if (pipeline.kind === 'objects') {
    const { model, labels } = pipeline.detector
    const tools = { labels: await models.labels(model, labels), painter, scratch }
    return predictObjects(image, pipeline, await models.objectDetector(model), tools)
  }
  if (pipeline.kind === 'classify') {
    const { model, labels } = pipeline.classifier
    const tools = { labels: await models.labels(model, labels), painter, scratch }
    return predictClasses(image, pipeline, await models.classifier(model), tools)
  }
  const detector = await models.detector(pipeline.detector.model)
  const embedder = pipeline.embedder && (await models.embedder(pipeline.embedder.model))
  const naming = matching && { matching, matcher: matcherOf(matching.gallery) }
  return predictFaces(image, pipeline, { detector, embedder, naming, painter, scratch })
}

/** Nothing is a gallery of nobody; bytes that are none are told of by the job that needs it. */
function openGallery(digest: string, bytes: Buffer): typeof gallery {
  try {
    return bytes.length === 0 ? undefined : { digest, matcher: new Matcher(decodeGallery(bytes)) }
  } catch {
    return undefined
  }
}

function matcherOf(digest: string): Matcher {
  if (gallery?.digest === digest) return gallery.matcher
  throw new CpnError('CPN_ERR_GALLERY_DAMAGED', `what came as gallery ${digest.slice(0, 12)} is none`)
}

/** Taken here, where the bytes were made and time is not everybody's. */
function digestOf(body: Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const piece of body) hash.update(piece)
  return hash.digest('base64')
}

function workerArguments(): WorkerArguments {
  const options = { 'models-dir': { type: 'string' }, 'fonts-dir': { type: 'string' } } as const
  const { values } = parseArgs({ options })
  if (values['models-dir'] === undefined || values['fonts-dir'] === undefined) {
    throw new Error('a worker is started by its agent: --models-dir DIR --fonts-dir DIR')
  }
  return { modelsDir: values['models-dir'], fontsDir: values['fonts-dir'] }
}
