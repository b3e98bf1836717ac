import { parseArgs } from 'node:util'
import { toCpnError } from '../common/errors.ts'
import { executionProviders } from './inference.ts'
import { ModelLoader } from './model-loader.ts'
import { predictFaces } from './pipelines/faces.ts'
import { LabelPainter } from './vision/label-painter.ts'
import { Scratch } from './vision/scratch.ts'
import type { FromWorker, ToWorker, WorkerArguments } from './worker-messages.ts'

const { modelsDir, font } = workerArguments()
const models = new ModelLoader(modelsDir, 1)
const painter = new LabelPainter(font)
const scratch = new Scratch()
let queue = Promise.resolve()

process.on('disconnect', () => process.exit())
process.on('message', (message: ToWorker) => {
  queue = queue.then(() => handle(message))
})
send({ type: 'ready', executionProviders })

/** One job after the other: a worker has one core. */
async function handle({ id, image, pipeline }: ToWorker): Promise<void> {
  try {
    const detector = await models.detector(pipeline.detector.model)
    const embedder = pipeline.embedder && (await models.embedder(pipeline.embedder.model))
    send({ type: 'done', id, ...(await predictFaces(image, pipeline, { detector, embedder, painter, scratch })) })
  } catch (error) {
    const { code, message, retryable, suggestions } = toCpnError(error)
    send({ type: 'failed', id, error: { code, message, retryable, suggestions } })
  }
}

/** The supervisor may be gone by the time a job is done; 'disconnect' ends the process then. */
function send(message: FromWorker): void {
  if (process.connected) process.send!(message, () => {})
}

function workerArguments(): WorkerArguments {
  const options = { 'models-dir': { type: 'string' }, font: { type: 'string' } } as const
  const { values } = parseArgs({ options })
  if (values['models-dir'] === undefined || values.font === undefined) {
    throw new Error('a worker is started by its agent: --models-dir DIR --font FILE')
  }
  return { modelsDir: values['models-dir'], font: values.font }
}
