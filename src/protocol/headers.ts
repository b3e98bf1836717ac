import * as z from 'zod'
import { CpnError } from '../common/errors.ts'
import { sha256Schema } from './model.ts'
import { type Pipeline, pipelineSchema } from './pipeline.ts'

/** Request headers of POST /cpn/v1/predict. The body is the image as it is on disk. */
export interface PredictHeaders {
  /** sha256 of the image's bytes. */
  job: string
  /** Run that asks: epochs are compared within one run. */
  run: string
  attempt: number
  /** Fencing number of the run; a lower one than the agent has seen for the run is refused. */
  epoch: number
  /** Milliseconds that the image may wait for a worker, and that a worker may take; counted by the agent's clock. */
  deadlineMs: number
  pipeline: Pipeline
}

const positive = z.coerce.number().int().positive()
const schema = z.object({
  'cpn-job': sha256Schema,
  'cpn-run': z.string().regex(/^[a-z0-9-]{1,64}$/),
  'cpn-attempt': positive,
  'cpn-epoch': z.coerce.number().int().nonnegative(),
  'cpn-deadline-ms': positive,
  'cpn-pipeline': z.string(),
})

export function encodePredictHeaders(headers: PredictHeaders): Record<string, string> {
  return {
    'cpn-job': headers.job,
    'cpn-run': headers.run,
    'cpn-attempt': String(headers.attempt),
    'cpn-epoch': String(headers.epoch),
    'cpn-deadline-ms': String(headers.deadlineMs),
    'cpn-pipeline': JSON.stringify(headers.pipeline),
  }
}

/** Throws CPN_ERR_AGENT_PROTOCOL naming the first header that is missing or wrong. */
export function decodePredictHeaders(raw: Record<string, string | string[] | undefined>): PredictHeaders {
  const parsed = schema.safeParse(raw)
  if (!parsed.success) throw protocolError(parsed.error)
  const { data } = parsed
  const pipeline = decodePipeline(data['cpn-pipeline'])
  return {
    job: data['cpn-job'],
    run: data['cpn-run'],
    attempt: data['cpn-attempt'],
    epoch: data['cpn-epoch'],
    deadlineMs: data['cpn-deadline-ms'],
    pipeline,
  }
}

/** All requests of a run carry the same one. */
let last: { text: string; pipeline: Pipeline } | undefined

function decodePipeline(text: string): Pipeline {
  if (last?.text === text) return last.pipeline
  const parsed = pipelineSchema.safeParse(parsePipeline(text))
  if (!parsed.success) throw protocolError(parsed.error, 'cpn-pipeline')
  last = { text, pipeline: parsed.data }
  return parsed.data
}

function parsePipeline(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function protocolError(error: z.ZodError, prefix?: string): CpnError {
  const issue = error.issues[0]
  const where = [prefix, ...(issue?.path ?? [])].filter((part) => part !== undefined).join('.')
  return new CpnError('CPN_ERR_AGENT_PROTOCOL', `request header ${where}: ${issue?.message}`)
}
