import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { opendir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

// Names of files that are not whole yet. They tell the process that writes them.

const pattern = /^\.cpn-(?:([0-9a-f]{8})-)?[0-9a-f]{12}\.tmp$/
const ours = process.pid.toString(16).padStart(8, '0')
const tracked = new Set<string>()

/** A name beside `path`, of a length that fits wherever the file's own name does. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.cpn-${ours}-${randomBytes(6).toString('hex')}.tmp`)
}

/** Until it is disposed the file belongs to those that a process which ends in the middle takes away. */
export function keepTrack(temporary: string): Disposable {
  tracked.add(temporary)
  return { [Symbol.dispose]: () => tracked.delete(temporary) }
}

/** Removes the files that are tracked now, of which some may not exist. */
export function removeTracked(): void {
  for (const temporary of tracked) {
    try {
      rmSync(temporary, { force: true })
    } catch {}
  }
}

/** Removes what other processes have left below a folder; nobody else may be writing there. */
export async function removeLeftovers(folder: string, signal: AbortSignal): Promise<void> {
  const entries = await opendir(folder).catch(() => undefined)
  if (!entries) return
  for await (const entry of entries) {
    if (signal.aborted) return
    const path = join(folder, entry.name)
    const owner = pattern.exec(entry.name)?.[1]
    if (entry.isDirectory()) await removeLeftovers(path, signal)
    else if (pattern.test(entry.name) && owner !== ours) await rm(path, { force: true }).catch(() => {})
  }
}
