import type { CpnError } from '../../common/errors.ts'
import type { ModelRef } from '../../protocol/model.ts'
import type { Pipeline } from '../../protocol/pipeline.ts'
import type { InputLine, InputState, Ledger, LineOptions, RunRecord } from '../ledger.ts'

/** An input that was done, or that something kept from it. */
export type FinishedLine = InputLine & { state: Exclude<InputState, 'queued'> }

/** What is in the results of a picture: faces, `objects`, or with `classify` the labels of the whole. */
export type ResultKind = Exclude<Pipeline['kind'], 'draw'>

/** The results of a run, as the formats read them. */
export interface Results {
  /** What the run looked for. */
  kind: ResultKind
  /** Absolute folder of the outputs. */
  out: string
  /** Whether annotated copies are in it. */
  copies: boolean
  /** Whether embeddings are told. */
  embeddings: boolean
  /** name@version of each model that the results are from. */
  models: string[]
  /**
   * Finished inputs ordered by path; read from the ledger again with each call, one after another.
   */
  lines(options?: LineOptions): Iterable<FinishedLine>
}

/** Beside the annotated copies, or beside the originals. */
export const sidecarPlaces = ['out', 'originals'] as const
/** `full`: photo.jpg.xmp, as digiKam and darktable read it; `stem`: photo.xmp, as Adobe's programs do. */
export const sidecarNames = ['full', 'stem'] as const

/** Where faces and names are noted beside pictures. */
export interface SidecarPlace {
  sidecars: (typeof sidecarPlaces)[number]
  sidecarNames: (typeof sidecarNames)[number]
}

export interface SidecarOptions extends SidecarPlace {
  /** Where they were noted before another place was asked for: what is there is kept up to date, nothing new comes there. */
  earlierSidecars?: SidecarPlace[]
}

/** Told of each thing that could not be written while the rest was. */
export type OnUnwritten = (error: CpnError) => void

/**
 * Writes the results in one format, with memory that does not grow with them. Whatever it writes is whole or not there.
 * Rejects with CPN_ERR_OUTPUT_SPACE or CPN_ERR_OUTPUT_WRITE when the format cannot be written at all.
 */
export type Sink = (results: Results, options: SidecarOptions, onUnwritten: OnUnwritten) => Promise<void>

export function resultsOf(ledger: Ledger, run: string, about: Omit<Results, 'kind' | 'lines' | 'models'>): Results {
  const record = ledger.runs().find(({ id }) => id === run)
  return {
    ...about,
    kind: kindOf(record),
    models: modelsOf(record),
    *lines(options) {
      for (const line of ledger.lines(run, options)) if (isFinished(line)) yield line
    },
  }
}

/** Runs of an older cpn looked for faces. */
function kindOf(run: RunRecord | undefined): ResultKind {
  const { kind } = (run?.options.pipeline ?? {}) as Partial<Pipeline>
  return kind === 'objects' || kind === 'classify' ? kind : 'faces'
}

type PipelineModels = Partial<Record<'detector' | 'embedder' | 'classifier', { model: ModelRef }>>

function modelsOf(run: RunRecord | undefined): string[] {
  const { detector, embedder, classifier } = (run?.options.pipeline ?? {}) as PipelineModels
  return [detector, embedder, classifier].flatMap((part) => (part ? `${part.model.name}@${part.model.version}` : []))
}

const isFinished = (line: InputLine): line is FinishedLine => line.state !== 'queued'
