import { closeSync, fsync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { CpnError, reasonOf, systemErrorCode } from '../common/errors.ts'
import { keepTrack, temporaryName } from './temporary-files.ts'

// A file is written whole or not at all: temporary name beside it, fsync, rename, fsync of the folder.

/** The file system cannot hold this name, or a folder has it: other files are not concerned. */
const ownFaults = new Set(['ENAMETOOLONG', 'EISDIR', 'EINVAL', 'EILSEQ'])

/** True for an outputError that lies in the one file's name or place. */
export function isFaultOfOneFile(error: unknown): boolean {
  return error instanceof CpnError && ownFaults.has(systemErrorCode(error.cause) ?? '')
}

/** Writes one file. Ends with CPN_ERR_OUTPUT_SPACE or CPN_ERR_OUTPUT_WRITE. */
export async function writeFileDurably(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const temporary = temporaryName(path)
  using _tracked = keepTrack(temporary)
  try {
    await mkdir(dirname(path), { recursive: true })
    const file = await open(temporary, 'w')
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

export interface NewFile {
  path: string
  /** Name it has until it is whole. */
  temporary: string
  bytes: Uint8Array
}

/** Files that are open at once: equal pictures may come by the thousand. */
const openAtOnce = 64

/**
 * Writes several files, with one fsync of a folder for all that come into it together. Blocks its thread except for the
 * waiting.
 * @returns for each file the system's error, or undefined where it was written
 */
export async function writeFilesDurably(files: readonly NewFile[]): Promise<(Error | undefined)[]> {
  const failures: (Error | undefined)[] = []
  for (let start = 0; start < files.length; start += openAtOnce) {
    failures.push(...(await writeTogether(files.slice(start, start + openAtOnce))))
  }
  return failures
}

async function writeTogether(files: readonly NewFile[]): Promise<(Error | undefined)[]> {
  const failed: (Error | undefined)[] = files.map(() => undefined)
  const written = await Promise.all(
    files.map(async ({ path, temporary, bytes }, index) => {
      try {
        const file = openNew(temporary)
        try {
          writeFileSync(file, bytes)
          await syncFile(file)
        } finally {
          closeSync(file)
        }
        renameSync(temporary, path)
      } catch (error) {
        failed[index] = error as Error
        removeQuietly(temporary)
      }
      return dirname(path)
    }),
  )
  const lost = new Map<string, Error>()
  await Promise.all([...new Set(written)].map((folder) => syncFolder(folder).catch((error) => lost.set(folder, error))))
  return failed.map((error, index) => error ?? lost.get(written[index]!))
}

/** What an error of writing a file means to the user. */
export function outputError(path: string, cause: unknown): CpnError {
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

const syncFile = promisify(fsync)

/** A path that cannot hold the file cannot be asked to give it up either. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {}
}

/** Most files lie in a folder that is there already. */
function openNew(path: string): number {
  try {
    return openSync(path, 'w')
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error
    mkdirSync(dirname(path), { recursive: true })
    return openSync(path, 'w')
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
