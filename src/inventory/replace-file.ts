import { randomBytes } from 'node:crypto'
import { chmod, chown, type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ErrorCode } from '../common/error-codes.ts'
import { CpnError, reasonOf, systemErrorCode } from '../common/errors.ts'
import { shortPath } from './source.ts'

const lockWaitMs = 10_000
const retryMs = 20
/** A change takes moments: who has a lock that is older has died. */
const staleMs = 60_000

/**
 * Replaces `file` with what `edit` makes of it, at once or not at all, keeping owner and links to it. One process edits at
 * a time: a lock file beside it says so. Ends with `code`, leaving the file as it was.
 * @param mode of the file from now on; undefined keeps what it has, and makes a new one readable for all
 */
export async function replaceFile(
  file: string,
  edit: () => Promise<string>,
  code: ErrorCode = 'CPN_ERR_INVENTORY_WRITE',
  mode?: number,
): Promise<void> {
  const target = await realpath(file).catch(() => file)
  const lock = join(dirname(target), `.${basename(target)}.lock`)
  const handle = await takeLock(lock, file, code)
  try {
    const text = await edit()
    await writeWhole(target, text, mode)
  } catch (error) {
    throw error instanceof CpnError ? error : writeError(file, error, code)
  } finally {
    await handle.close()
    await rm(lock, { force: true })
  }
}

async function takeLock(lock: string, file: string, code: ErrorCode): Promise<FileHandle> {
  for (const deadline = Date.now() + lockWaitMs; ; await delay(retryMs)) {
    try {
      return await open(lock, 'wx', 0o600)
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw writeError(file, error, code)
      if (await removeStale(lock)) continue
      if (Date.now() > deadline) throw lockedError(file, lock, code)
    }
  }
}

/** Two that find it stale must not remove each other's new one: whoever can rename it has it. */
async function removeStale(lock: string): Promise<boolean> {
  const found = await stat(lock).catch(() => undefined)
  if (!found || Date.now() - found.mtimeMs < staleMs) return false
  const taken = `${lock}.${randomBytes(6).toString('hex')}`
  try {
    await rename(lock, taken)
    const isSame = (await stat(taken)).ino === found.ino
    await (isSame ? rm(taken) : rename(taken, lock))
    return isSame
  } catch {
    return false
  }
}

async function writeWhole(target: string, text: string, mode: number | undefined): Promise<void> {
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`)
  try {
    const handle = await open(temporary, 'wx', mode ?? 0o644)
    try {
      await handle.writeFile(text)
      await keepMode(temporary, target, mode)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, target)
    await syncFolder(dirname(target))
  } finally {
    await rm(temporary, { force: true })
  }
}

async function keepMode(temporary: string, target: string, mode: number | undefined): Promise<void> {
  const old = await stat(target).catch(() => undefined)
  if (!old) return
  // Another owner can be kept by root only; for everybody else the file becomes theirs, as in any editor.
  await chown(temporary, old.uid, old.gid).catch(() => {})
  await chmod(temporary, mode ?? old.mode & 0o7777)
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}

function writeError(file: string, cause: unknown, code: ErrorCode): CpnError {
  const reason = systemErrorCode(cause) === 'ENOENT' ? 'its folder does not exist' : reasonOf(cause)
  return new CpnError(code, `${shortPath(file)} cannot be written: ${reason}`, {
    cause,
    suggestions: ['Make its folder writable and see that the disk has space, then run the command again.'],
  })
}

function lockedError(file: string, lock: string, code: ErrorCode): CpnError {
  return new CpnError(code, `another cpn is editing ${shortPath(file)}`, {
    retryable: true,
    suggestions: [`Wait for it. If none is running, remove ${lock}.`],
  })
}
