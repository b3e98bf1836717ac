import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { copyName } from '../../runs/copy-name.ts'
import { GroupCommit } from '../../runs/group-commit.ts'
import { type BegunRun, type Ledger, type LedgerChange, openLedger } from '../../runs/ledger.ts'
import { jobChange, type RecorderOptions } from '../../runs/recorder.ts'
import { RunWriter } from '../../runs/run-writer.ts'
import type { AttemptEvent, JobOutcome } from '../../scheduler/scheduler.ts'

type Naming = Pick<RecorderOptions, 'matcher' | 'labels'>

const prefix = 'trial-'
/** What a plan that was killed has left is taken away by one that comes so much later. */
const staleMs = 3_600_000
const commitSpacingMs = 20

/**
 * Writes what a trial gives as a run writes it, into a folder of its own that goes with it: writing takes processors and disk
 * of this machine, which nodes on it would have too much of otherwise.
 */
export class TrialWriter implements AsyncDisposable {
  readonly #folder: string
  readonly #ledger: Ledger
  readonly #writer: RunWriter
  readonly #run: BegunRun
  readonly #commits: GroupCommit<LedgerChange>
  readonly #naming: Naming
  #inputs = 0

  /** Use TrialWriter.open. */
  constructor(folder: string, naming: Naming) {
    const ledgerFile = join(folder, 'ledger.db')
    this.#folder = folder
    this.#naming = naming
    this.#ledger = openLedger(ledgerFile)
    this.#run = this.#ledger.beginRun({ out: folder, options: { paths: [] }, pipelineDigest: '' })
    this.#writer = new RunWriter(ledgerFile)
    this.#commits = new GroupCommit((changes) => this.#writer.commit(this.#run, changes), commitSpacingMs)
  }

  /** @param dir where its folder is made */
  static async open(dir: string, naming: Naming): Promise<TrialWriter> {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    await removeTrials(dir)
    return new TrialWriter(await mkdtemp(join(dir, prefix)), naming)
  }

  /** Rejects with CPN_ERR_OUTPUT_SPACE, CPN_ERR_OUTPUT_WRITE or CPN_ERR_STATE_DIR. */
  async settle(outcome: JobOutcome): Promise<void> {
    const { id: job, bytes, source = '' } = outcome.job
    const seq = ++this.#inputs
    const name = `${seq}-${source.split('/').at(-1)}`
    const file = { bytes, mtimeMs: 0, ctimeMs: 0, ino: 0 }
    const found = this.#commits.add({ kind: 'found', inputs: [{ name, source, ...file }] })
    const picture = outcome.state === 'done' ? outcome.result.annotated : undefined
    if (picture) await this.#writer.writePicture(join(this.#folder, copyName(name)), picture)
    await found
    const input = { kind: 'input', seq, state: outcome.state, job, file } as const
    await this.#commits.add(jobChange(outcome, this.#naming), input)
    if (outcome.state === 'done') outcome.result.release?.()
  }

  /** As a run notes its attempts, which nobody waits for. */
  note(event: AttemptEvent): Promise<void> {
    const { error: _, ...attempt } = event
    return this.#commits.addLater({ kind: 'attempt', time: new Date().toISOString(), ...attempt })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#commits.idle()
    await this.#writer[Symbol.asyncDispose]()
    this.#ledger[Symbol.dispose]()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Removes what plans that were killed have left; those that are younger may be at work. */
export async function removeTrials(dir: string, olderThanMs = staleMs): Promise<void> {
  for (const name of await readdir(dir).catch(() => [])) {
    const folder = join(dir, name)
    const found = name.startsWith(prefix) ? await stat(folder).catch(() => undefined) : undefined
    if (found && found.mtimeMs <= Date.now() - olderThanMs) await rm(folder, { recursive: true, force: true })
  }
}
