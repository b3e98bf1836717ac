import { DatabaseSync } from 'node:sqlite'

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
  } catch (error) {
    database.close()
    if (isLocked(error)) return undefined
    throw error
  }
  return () => database.close()
}

function isLocked(error: unknown): boolean {
  const sqliteBusy = 5
  return (error as { errcode?: number }).errcode === sqliteBusy
}
