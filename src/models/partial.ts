import { randomBytes } from 'node:crypto'
import { readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemErrorCode } from '../common/errors.ts'

/**
 * The unfinished file of a download. While it grows its name says which process writes it, so that two processes
 * never write to one file; given back it waits as <sha256>.part for whoever goes on.
 */
export interface PartialFile {
  readonly path: string
  /** Keeps what has come for a later download. */
  giveBack(): Promise<void>
}

/** Takes over what an earlier download left, or begins an empty one. */
export async function claimPartial(dir: string, sha256: string): Promise<PartialFile> {
  const path = join(dir, `${sha256}.${process.pid}-${randomBytes(4).toString('hex')}.part`)
  for (const left of await abandonedPartials(dir, sha256)) if (await moved(left, path)) break
  return { path, giveBack: async () => void (await moved(path, join(dir, `${sha256}.part`))) }
}

/** Unfinished files of a model that nobody writes to, the largest first. */
export async function abandonedPartials(dir: string, sha256: string): Promise<string[]> {
  const names = (await readdir(dir)).filter((name) => name.startsWith(`${sha256}.`) && isAbandoned(name))
  const files = await Promise.all(names.map(async (name) => ({ name, size: await sizeOf(join(dir, name)) })))
  return files.sort((a, b) => b.size - a.size).map(({ name }) => join(dir, name))
}

function isAbandoned(name: string): boolean {
  const pid = /^[0-9a-f]{64}(?:\.(\d+)-[0-9a-f]{8})?\.part$/.exec(name)
  return pid !== null && (pid[1] === undefined || !isAlive(Number(pid[1])))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return systemErrorCode(error) === 'EPERM'
  }
}

async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false
    throw error
  }
}

/** Bytes of a file; 0 when there is none. */
export async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}
