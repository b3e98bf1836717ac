import { extname } from 'node:path'
import type { Context } from '../../common/context.ts'
import { type Candidate, Reservoir } from '../../planning/sample.ts'
import { findInputs, type Root } from '../../runs/find-inputs.ts'
import type { Ledger, NewInput, RunRecord } from '../../runs/ledger.ts'
import { type RecogniseOptions, recognise } from '../../runs/recognise.ts'

/** What is under the paths of a command line, without reading it. */
export interface Survey {
  images: number
  bytes: number
  /** Of those, what no earlier run has finished. */
  left: { images: number; bytes: number }
  /** All images by format: the extension without a dot, in lower case; '' for none. */
  formats: Record<string, { images: number; bytes: number }>
  /** Files that are no images, and those of them that are pictures of kinds that no node reads, by extension. */
  ignored: number
  unread: Map<string, number>
  /** Some of those that are left, each with the same probability. */
  candidates: Candidate[]
}

export interface SurveyOptions extends RecogniseOptions {
  /** Real path of the folder of the outputs. */
  place: string
  /** The run that would go on, with the ledger that has it. */
  earlier: { ledger: Ledger; run: RunRecord } | undefined
  /** Uniform in [0, 1). */
  random: () => number
}

const batchSize = 500
/** Enough for the sample to have every format and size; memory stays constant. */
const maxCandidates = 4096
const tellMs = 2000

/** Looks through the folders as a run does, streamed. @param tell called with how many images were found so far */
export async function surveyInputs(
  roots: Root[],
  options: SurveyOptions,
  { signal, notice }: Context,
  tell: (images: number) => void,
): Promise<Survey> {
  const survey = emptySurvey()
  const candidates = new Reservoir<Candidate>(maxCandidates, options.random)
  const timer = setInterval(() => tell(survey.images), tellMs)
  let batch: NewInput[] = []
  const flush = async () => {
    for (const { source, bytes } of await leftOf(batch, options)) {
      survey.left.images++
      survey.left.bytes += bytes
      candidates.add({ source, bytes, format: formatOf(source) })
    }
    batch = []
  }
  try {
    for await (const found of findInputs(roots, options.place)) {
      signal.throwIfAborted()
      if (found.kind === 'left-out') notice(`${found.path} is left out: ${found.reason}`)
      else if (found.kind === 'ignored') ignore(survey, found.unread)
      else {
        count(survey, found.input)
        if (batch.push(found.input) >= batchSize) await flush()
      }
    }
    await flush()
  } finally {
    clearInterval(timer)
  }
  return { ...survey, candidates: candidates.items }
}

function emptySurvey(): Omit<Survey, 'candidates'> {
  return { images: 0, bytes: 0, left: { images: 0, bytes: 0 }, formats: {}, ignored: 0, unread: new Map() }
}

function count(survey: Omit<Survey, 'candidates'>, { source, bytes }: NewInput): void {
  survey.images++
  survey.bytes += bytes
  survey.formats[formatOf(source)] ??= { images: 0, bytes: 0 }
  const format = survey.formats[formatOf(source)]!
  format.images++
  format.bytes += bytes
}

function ignore(survey: Omit<Survey, 'candidates'>, unread: string | undefined): void {
  survey.ignored++
  if (unread !== undefined) survey.unread.set(unread, (survey.unread.get(unread) ?? 0) + 1)
}

function formatOf(source: string): string {
  const extension = extname(source).slice(1).toLowerCase()
  return extension === 'jpeg' ? 'jpg' : extension
}

/** Those that the run that would go on has not finished as they are. */
async function leftOf(inputs: NewInput[], { earlier, ...options }: SurveyOptions): Promise<NewInput[]> {
  if (!earlier) return inputs
  const known = earlier.ledger.known(
    earlier.run.id,
    inputs.map(({ name }) => name),
  )
  const isLeft = await Promise.all(
    inputs.map(async (input) => {
      const before = known.get(input.name)
      return !before || before.state === 'queued' || (await recognise(input, before, options)) !== undefined
    }),
  )
  return inputs.filter((_input, index) => isLeft[index])
}
