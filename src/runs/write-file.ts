import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CpnError, reasonOf, systemErrorCode } from '../common/errors.ts'

/** The file system cannot hold this name, or a folder has it: other files are not concerned. */
const ownFaults = new Set(['ENAMETOOLONG', 'EISDIR', 'EINVAL', 'EILSEQ'])

/** True for an error of writeFileDurably that lies in the one file's name or place. */
export function isFaultOfOneFile(error: unknown): boolean {
  return error instanceof CpnError && ownFaults.has(systemErrorCode(error.cause) ?? '')
}

/**
 * Writes a file whole or not at all: temporary name beside it, fsync, rename, fsync of the folder.
 * Ends with CPN_ERR_OUTPUT_SPACE or CPN_ERR_OUTPUT_WRITE.
 */
export async function writeFileDurably(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  // The file's own name may be as long as a name can be.
  const temporary = join(dirname(path), `.cpn-${randomBytes(6).toString('hex')}.tmp`)
  try {
    const file = await openNew(temporary)
    try {
      await write(file)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw outputError(path, error)
  }
}

/** Most files lie in a folder that is there already. */
async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'w')
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error
    await mkdir(dirname(path), { recursive: true })
    return await open(path, 'w')
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function outputError(path: string, cause: unknown): CpnError {
  if (cause instanceof CpnError) return cause
  if (systemErrorCode(cause) === 'ENOSPC' || systemErrorCode(cause) === 'EDQUOT') {
    return new CpnError('CPN_ERR_OUTPUT_SPACE', `no space left for ${path}`, {
      cause,
      suggestions: ['Free space there, or choose another folder with --out; then run the same command again.'],
    })
  }
  return new CpnError('CPN_ERR_OUTPUT_WRITE', `${path} cannot be written: ${reasonOf(cause)}`, {
    cause,
    suggestions: ['Check the folder’s permissions, or choose another one with --out.'],
  })
}
