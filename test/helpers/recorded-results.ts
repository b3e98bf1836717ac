import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { encodeRecord, type JobRecord } from '../../src/runs/job-record.ts'
import type { Label, LabelledObject } from '../../src/runs/labelled.ts'
import { type LedgerChange, openLedger } from '../../src/runs/ledger.ts'
import { type ResultKind, type Results, resultsOf } from '../../src/runs/sinks/results.ts'
import type { ToldFace } from '../../src/runs/sinks/told-face.ts'
import { tempFolder } from './temp-folder.ts'

export interface Recorded {
  name: string
  /** Absolute path of the original; default below the folder. */
  source?: string
  /** Default one that comes from its name. */
  sha256?: string
  width?: number
  height?: number
  faces?: ToldFace[]
  objects?: LabelledObject[]
  labels?: Label[]
  thumbnail?: Uint8Array
  /** Fails with this instead. */
  error?: { code: string; message: string }
}

/** A face with the given place and name. */
export function namedFace(box: ToldFace['box'], person: string | null = null, similarity = 0.5): ToldFace {
  return { box, score: 0.9, keypoints: null, person, similarity: person === null ? null : similarity }
}

/** A folder with the ledger of a run that ended with these results. */
export class RecordedRun implements Disposable {
  readonly folder: string
  readonly out: string
  readonly results: Results
  readonly #dispose: () => void

  constructor(recorded: readonly Recorded[], kind: ResultKind = 'faces') {
    const temporary = tempFolder()
    this.folder = temporary.path
    this.out = join(this.folder, 'out')
    const ledger = openLedger(join(this.folder, 'ledger.db'))
    const run = ledger.beginRun({ out: this.out, options: { paths: [], pipeline: { kind } }, pipelineDigest: 'p' })
    const inputs = recorded.map(({ name, source }) => ({
      name,
      source: source ?? join(this.folder, name),
      bytes: 1,
      mtimeMs: 0,
      ctimeMs: 0,
      ino: 0,
    }))
    ledger.commit(run, [{ kind: 'found', inputs }, ...recorded.flatMap(changes)])
    this.results = resultsOf(ledger, run.id, { out: this.out, copies: true, embeddings: false })
    this.#dispose = () => {
      ledger[Symbol.dispose]()
      temporary[Symbol.dispose]()
    }
  }

  [Symbol.dispose](): void {
    this.#dispose()
  }
}

function changes(
  { name, sha256, width = 400, height = 300, faces = [], objects, labels, thumbnail, error }: Recorded,
  index: number,
): LedgerChange[] {
  const seq = index + 1
  if (error) return [{ kind: 'input', seq, state: 'failed', error }]
  const job = sha256 ?? createHash('sha256').update(name).digest('hex')
  const record: JobRecord = {
    width,
    height,
    faces,
    ...(objects ? { objects } : {}),
    ...(labels ? { labels } : {}),
    ...(thumbnail ? { thumbnail } : {}),
  }
  return [
    { kind: 'job', job, state: 'done', ...encodeRecord(record) },
    { kind: 'input', seq, state: 'done', job },
  ]
}
