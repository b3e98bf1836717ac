import { open } from 'node:fs/promises'
import { sha256 } from '../common/digest.ts'
import { CpnError, reasonOf } from '../common/errors.ts'
import type { Job } from '../scheduler/scheduler.ts'
import type { Input } from './ledger.ts'

/** The agents refuse larger bodies. */
const maxInputBytes = 256 * 1024 * 1024

/** The job that an input asks for. Its bytes are kept for the first attempt and read again for later ones. */
export async function readInput({ source }: Input): Promise<Job> {
  let kept: Buffer | undefined = await readWhole(source)
  const id = sha256(kept)
  const read = async () => {
    const first = kept
    kept = undefined
    if (first) return first
    const again = await readWhole(source)
    if (sha256(again) !== id) throw unreadable(source, 'it changed while the run was going on')
    return again
  }
  return { id, bytes: kept.length, read }
}

async function readWhole(path: string): Promise<Buffer> {
  try {
    await using file = await open(path, 'r')
    const found = await file.stat()
    if (!found.isFile()) throw new Error('it is no file')
    const { size } = found
    if (size > maxInputBytes) throw new Error(`${size} bytes are more than a picture may have (${maxInputBytes})`)
    return await file.readFile()
  } catch (cause) {
    throw unreadable(path, reasonOf(cause))
  }
}

function unreadable(path: string, reason: string): CpnError {
  return new CpnError('CPN_ERR_INPUT_UNREADABLE', `${path} cannot be read: ${reason}`, {
    suggestions: ['Check the file and its permissions, then run the same command again.'],
  })
}
