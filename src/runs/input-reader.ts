import { CpnError, reasonOf } from '../common/errors.ts'
import { Thread } from '../common/thread.ts'
import type { Job } from '../scheduler/scheduler.ts'
import type { FileIdentity } from './ledger.ts'

/** A file as it was read. */
export interface InputFile {
  bytes: Uint8Array<ArrayBuffer>
  /** Lower-case hex. */
  sha256: string
  identity: FileIdentity
}

/** A job with the file that it was read from. */
export interface ReadJob extends Job {
  file: FileIdentity
}

/** Threads at most: disks that answer at once need one, a share in the network is kept busy by several. */
const maxThreads = 4
/** Milliseconds a file may take before another thread is started. */
const slowMs = 10

/** Reads inputs and takes their digests in threads of its own. */
export class InputReader implements AsyncDisposable {
  /** The first one starts at once: it takes longer to start than to read a picture. */
  readonly #threads = [newThread()]

  /**
   * The job that an input asks for. Its bytes are kept for the first attempt and read again for later ones. Rejects with
   * CPN_ERR_INPUT_UNREADABLE.
   * @param source absolute path
   */
  async job(source: string): Promise<ReadJob> {
    const file = await this.#read(source)
    const id = file.sha256
    const bytes = file.bytes.byteLength
    let kept: Buffer | undefined = asBuffer(file)
    const read = async () => {
      const first = kept
      kept = undefined
      if (first) return first
      const again = await this.#read(source)
      if (again.sha256 !== id) throw unreadable(source, 'it changed while the run was going on')
      return asBuffer(again)
    }
    return { id, bytes, source, file: file.identity, read }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()))
  }

  async #read(source: string): Promise<InputFile> {
    const started = performance.now()
    try {
      return await this.#leastAsked().ask(source)
    } catch (cause) {
      throw unreadable(source, reasonOf(cause))
    } finally {
      const slow = performance.now() - started > slowMs
      if (slow && this.#threads.length < maxThreads && this.#leastAsked().asked > 0) this.#threads.push(newThread())
    }
  }

  #leastAsked(): Thread<string, InputFile> {
    return this.#threads.reduce((least, thread) => (thread.asked < least.asked ? thread : least))
  }
}

const newThread = () => new Thread<string, InputFile>('runs/input-thread')

const asBuffer = ({ bytes }: InputFile) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function unreadable(path: string, reason: string): CpnError {
  return new CpnError('CPN_ERR_INPUT_UNREADABLE', `${path} cannot be read: ${reason}`, {
    suggestions: ['Check the file and its permissions, then run the same command again.'],
  })
}
