import { access, constants, type FileHandle, mkdir, open, realpath, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CpnError, reasonOf, systemErrorCode } from '../common/errors.ts'
import { formatBytes } from '../common/format.ts'
import type { Ledger, LedgerChange, Run } from './ledger.ts'
import { hasPicture } from './recognise.ts'

const batchSize = 500
/** Space that is left alone on the disk of the outputs, and the least that a run begins with. */
const spareBytes = 64 * 1024 * 1024

/** Rejects with CPN_ERR_OUTPUT_WRITE where it is plain that OUT cannot be made, or not be written to. Makes nothing. */
export async function assertWritable(out: string): Promise<void> {
  for (let path = out; ; path = dirname(path)) {
    try {
      return await access(path, constants.W_OK)
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT' || path === dirname(path)) throw unusable(out, error)
    }
  }
}

/** Makes OUT where it is missing; its real path. Rejects with CPN_ERR_OUTPUT_WRITE. */
export async function makeOut(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true }).catch(async (error: unknown) => {
      // With `recursive` Node.js calls a read-only disk a missing folder.
      if (systemErrorCode(error) !== 'ENOENT') throw error
      await mkdir(path)
    })
    return await realpath(path)
  } catch (cause) {
    throw unusable(path, cause)
  }
}

function unusable(path: string, cause: unknown): CpnError {
  return new CpnError('CPN_ERR_OUTPUT_WRITE', `${path} cannot be used: ${reasonOf(cause)}`, {
    cause,
    suggestions: ['Check its permissions, or choose another folder with --out.'],
  })
}

/** Rejects with CPN_ERR_OUTPUT_SPACE where so many bytes do not fit. */
export async function assertSpace(out: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(out)
  const free = bavail * bsize
  const needed = spareBytes + bytes
  if (free >= needed) return
  throw new CpnError(
    'CPN_ERR_OUTPUT_SPACE',
    `${out} has ${formatBytes(free)} free, the run needs ${formatBytes(needed)}`,
    {
      suggestions: [
        'Free space there, or choose another folder with --out.',
        'Annotated copies can be left out: --annotate none',
      ],
    },
  )
}

/** OUT as it was when the run began. It is kept open: no folder that takes its place can have its inode then. */
export class OutFolder implements AsyncDisposable {
  readonly #path: string
  readonly #folder: FileHandle

  constructor(path: string, folder: FileHandle) {
    this.#path = path
    this.#folder = folder
  }

  /** Rejects with the system's error where the folder cannot be opened. */
  static async open(path: string): Promise<OutFolder> {
    return new OutFolder(path, await open(path, 'r'))
  }

  /** Rejects with CPN_ERR_OUTPUT_WRITE when the path leads to another folder now, or nowhere. */
  async check(): Promise<void> {
    const [was, now] = await Promise.all([this.#folder.stat(), stat(this.#path).catch(() => undefined)])
    if (now?.ino !== was.ino || now.dev !== was.dev) throw outLost(`${this.#path} was removed while the run went on`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder.close()
  }
}

/**
 * Queues done inputs again whose picture is not in OUT any more: nothing counts as done without its file.
 * @returns how many
 */
export async function queueLost(
  ledger: Ledger,
  commit: (changes: readonly LedgerChange[]) => Promise<void>,
  { id }: Run,
  out: string,
): Promise<number> {
  let lost = 0
  for (let after = 0; ; ) {
    const batch = ledger.finished(id, after, batchSize)
    if (batch.length === 0) return lost
    after = batch.at(-1)!.seq
    const isThere = await Promise.all(batch.map((input) => input.state !== 'done' || hasPicture(input, out)))
    const gone = batch.filter((_, index) => !isThere[index])
    if (gone.length > 0) await commit(gone.map((input) => ({ kind: 'again', seq: input.seq, input, forget: true })))
    lost += gone.length
  }
}

export function outLost(message: string): CpnError {
  return new CpnError('CPN_ERR_OUTPUT_WRITE', message, {
    suggestions: ['Run the same command again: it does what is missing there.'],
  })
}
