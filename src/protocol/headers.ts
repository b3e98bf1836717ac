import * as z from 'zod'
import { CpnError } from '../common/errors.ts'
import { type Mark, markSchema } from './messages.ts'
import { sha256Schema } from './model.ts'
import { type Matching, matchingSchema, type Pipeline, pipelineSchema } from './pipeline.ts'

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
  /** Present when faces are to get names. */
  matching?: Matching | undefined
  /** What to draw, for the pipeline `draw`. */
  marks?: Mark[] | undefined
}

/** All headers of a request: room for the marks of some thousand faces. */
export const maxHeaderBytes = 2 ** 20
/** What the other headers may take of it. */
const otherBytes = 16 * 1024

const positive = z.coerce.number().int().positive()
const schema = z.object({
  'cpn-job': sha256Schema,
  'cpn-run': z.string().regex(/^[a-z0-9-]{1,64}$/),
  'cpn-attempt': positive,
  'cpn-epoch': z.coerce.number().int().nonnegative(),
  'cpn-deadline-ms': positive,
  'cpn-pipeline': z.string(),
  'cpn-matching': z.string().optional(),
  'cpn-marks': z.string().optional(),
})

/** Throws CPN_ERR_IMAGE_TOO_LARGE for more marks than an agent takes: it would end the connection without a word. */
export function encodePredictHeaders(headers: PredictHeaders): Record<string, string> {
  return {
    'cpn-job': headers.job,
    'cpn-run': headers.run,
    'cpn-attempt': String(headers.attempt),
    'cpn-epoch': String(headers.epoch),
    'cpn-deadline-ms': String(headers.deadlineMs),
    'cpn-pipeline': JSON.stringify(headers.pipeline),
    ...(headers.matching ? { 'cpn-matching': JSON.stringify(headers.matching) } : {}),
    ...(headers.marks ? { 'cpn-marks': encodeMarks(headers.marks) } : {}),
  }
}

/** Throws CPN_ERR_AGENT_PROTOCOL naming the first header that is missing or wrong. */
export function decodePredictHeaders(raw: Record<string, string | string[] | undefined>): PredictHeaders {
  const parsed = schema.safeParse(raw)
  if (!parsed.success) throw protocolError(parsed.error)
  const { data } = parsed
  const { 'cpn-matching': matching, 'cpn-marks': marks } = data
  return {
    job: data['cpn-job'],
    run: data['cpn-run'],
    attempt: data['cpn-attempt'],
    epoch: data['cpn-epoch'],
    deadlineMs: data['cpn-deadline-ms'],
    pipeline: decodePipeline(data['cpn-pipeline']),
    ...(matching === undefined ? {} : { matching: decodeMatching(matching) }),
    ...(marks === undefined ? {} : { marks: decodeMarks(marks) }),
  }
}

const decodePipeline = remembering('cpn-pipeline', pipelineSchema)
const decodeMatching = remembering('cpn-matching', matchingSchema)
const decodeMarks = remembering('cpn-marks', z.array(markSchema))

function encodeMarks(marks: readonly Mark[]): string {
  const text = asciiJson(marks)
  if (text.length <= maxHeaderBytes - otherBytes) return text
  const message = `the picture has ${marks.length} faces, more than can be drawn anew`
  throw new CpnError('CPN_ERR_IMAGE_TOO_LARGE', message, {
    suggestions: ['Predict it anew, into another folder: cpn predict --out DIR'],
  })
}

/** A header has no other characters. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[^ -~]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Decodes the JSON of a header. All requests of a run carry the same one: the last is remembered. */
function remembering<T>(header: string, schema: z.ZodType<T>): (text: string) => T {
  let last: { text: string; value: T } | undefined
  return (text) => {
    if (last?.text === text) return last.value
    const parsed = schema.safeParse(parseJson(text))
    if (!parsed.success) throw protocolError(parsed.error, header)
    last = { text, value: parsed.data }
    return last.value
  }
}

function parseJson(text: string): unknown {
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
