import { CpnError, systemErrorCode } from '../common/errors.ts'
import { Thread } from '../common/thread.ts'
import { GroupCommit } from './group-commit.ts'
import type { LedgerChange, Run } from './ledger.ts'
import { keepTrack, removeTracked, temporaryName } from './temporary-files.ts'
import { type NewFile, outputError } from './write-file.ts'

/** What the thread is asked to do. */
export type Order = { run: Run; changes: readonly LedgerChange[] } | { pictures: readonly NewFile[] }

/** A system error on its way from the thread. */
export interface WriteFailure {
  message: string
  code: string | undefined
}

interface Picture extends NewFile {
  failure?: WriteFailure | undefined
}

/** Writes a run's ledger and pictures from a thread of its own, so that no fsync keeps the event loop waiting. */
export class RunWriter implements AsyncDisposable {
  readonly #ledgerFile: string
  readonly #thread: Thread<Order, unknown>
  /** Pictures that come while others are written are written together. */
  readonly #pictures = new GroupCommit<Picture>(async (pictures) => {
    const failures = (await this.#thread.ask({ pictures })) as (WriteFailure | undefined)[]
    for (const [index, picture] of pictures.entries()) picture.failure = failures[index]
  })

  /** @param ledgerFile the ledger, which exists */
  constructor(ledgerFile: string) {
    this.#ledgerFile = ledgerFile
    this.#thread = new Thread('runs/run-thread', ledgerFile)
    process.on('exit', this.#abandon)
  }

  /**
   * Resolves when the changes to a run are durable. Rejects with CPN_ERR_STATE_DIR, or with CPN_ERR_STALE_EPOCH when
   * somebody else has resumed the run; none of them is made then.
   */
  async commit(run: Run, changes: readonly LedgerChange[]): Promise<void> {
    await this.#thread.ask({ run, changes }).catch((cause: Error) => {
      if (systemErrorCode(cause) === 'CPN_ERR_STALE_EPOCH') throw new CpnError('CPN_ERR_STALE_EPOCH', cause.message)
      throw new CpnError('CPN_ERR_STATE_DIR', `the ledger ${this.#ledgerFile} cannot be written: ${cause.message}`, {
        cause,
        suggestions: ['Free space there and check its permissions; then run the same command again.'],
      })
    })
  }

  /**
   * Resolves when the file is whole on the disk under its name. Rejects with CPN_ERR_OUTPUT_SPACE or
   * CPN_ERR_OUTPUT_WRITE.
   */
  async writePicture(path: string, bytes: Uint8Array): Promise<void> {
    const picture: Picture = { path, temporary: temporaryName(path), bytes }
    using _tracked = keepTrack(picture.temporary)
    await this.#pictures.add(picture).catch((error) => {
      throw outputError(path, error)
    })
    const { failure } = picture
    if (failure) throw outputError(path, Object.assign(new Error(failure.message), { code: failure.code }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#abandon)
    await this.#thread[Symbol.asyncDispose]()
  }

  /** When the process ends in the middle: the thread stops first, so that it makes no file after that. */
  readonly #abandon = () => {
    void this.#thread[Symbol.asyncDispose]()
    removeTracked()
  }
}
