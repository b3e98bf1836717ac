import { DatabaseSync } from 'node:sqlite'
import { CpnError } from '../../common/errors.ts'

// A database that nobody refers to any more is closed by the garbage collector, and its lock is gone.
const held = new Set<DatabaseSync>()

/**
 * Takes a lock that ends with this process however it ends. SQLite's lock on its file is the kernel's own (fcntl),
 * which Node.js offers nowhere else; so no lock is ever stale. The file stays: removing it would split the lock.
 * @returns a function that lets go, or undefined while another process holds it
 */
export function takeLock(path: string): (() => void) | undefined {
  const database = new DatabaseSync(path)
  try {
    // A look at the lock by somebody else takes microseconds: outlast it.
    database.exec('PRAGMA busy_timeout = 500; BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    if (isLocked(cause)) return undefined
    throw new CpnError('CPN_ERR_AGENT_START', `${path} cannot be locked: ${(cause as Error).message}`, {
      cause,
      suggestions: ['Put the remoteDir of this host on a local disk: network file systems may have no locks.'],
    })
  }
  held.add(database)
  return () => {
    held.delete(database)
    database.close()
  }
}

function isLocked(error: unknown): boolean {
  const sqliteBusy = 5
  return (error as { errcode?: number }).errcode === sqliteBusy
}
