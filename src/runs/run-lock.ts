import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { sha256 } from '../common/digest.ts'
import { CpnError } from '../common/errors.ts'

/** Who works on an OUT. */
export interface LockOwner {
  pid: number
  host: string
  /** ISO 8601, UTC. */
  since: string
  /** Real path of the OUT; locks of an older cpn do not say it. */
  out?: string
}

const sqliteBusy = 5
const sqliteCannotOpen = 14
/** Milliseconds that are waited for somebody who only looks. */
const glanceMs = 500

/**
 * Takes the lock of an OUT until it is disposed. It is the operating system's lock on a file, by way of SQLite: it ends
 * with the process that has it, however that ends, and a file that is left behind locks nobody out. The file stays: one
 * that were removed could be locked by two, each on its own.
 * @param dir where locks are, made when it is missing
 * @param out real path
 * Throws CPN_ERR_RUN_BUSY, naming who has it, and CPN_ERR_STATE_DIR where no lock can be made.
 */
export function lockOut(dir: string, out: string): Disposable {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    return takeLock(openLock(join(dir, lockName(out))), out)
  } catch (cause) {
    if (cause instanceof CpnError) throw cause
    const file = join(dir, lockName(out))
    throw new CpnError('CPN_ERR_STATE_DIR', `the lock ${file} cannot be used: ${(cause as Error).message}`, {
      cause,
      suggestions: ['Free space there and check its permissions.', `If the file is damaged, remove it: rm ${file}`],
    })
  }
}

function takeLock(db: DatabaseSync, out: string): Disposable {
  try {
    const owner: LockOwner = { pid: process.pid, host: hostname(), since: new Date().toISOString(), out }
    const text = JSON.stringify(owner)
    db.exec('BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS owner (text TEXT); DELETE FROM owner;')
    db.prepare('INSERT INTO owner VALUES (?)').run(text)
    // Committed, so that others can read it; then the lock is kept by a transaction that never ends.
    db.exec('COMMIT; BEGIN IMMEDIATE;')
    if (ownerText(db) !== text) throw busy(out, readOwner(db))
    return { [Symbol.dispose]: () => db.close() }
  } catch (error) {
    const found = isBusy(error) ? busy(out, readOwner(db)) : error
    db.close()
    throw found
  }
}

/** Who has the lock of an OUT now; undefined when nobody has. */
export const outOwner = (dir: string, out: string): LockOwner | undefined => ownerOf(join(dir, lockName(out)))

/** Who works on any OUT now, also one whose run is not in the ledger yet. */
export function outOwners(dir: string): LockOwner[] {
  if (!existsSync(dir)) return []
  const files = readdirSync(dir).filter((name) => name.endsWith('.lock'))
  return files.map((name) => ownerOrNone(join(dir, name))).filter((owner) => owner !== undefined)
}

/** Nobody can have taken a lock that is damaged. */
function ownerOrNone(file: string): LockOwner | undefined {
  try {
    return ownerOf(file)
  } catch {
    return undefined
  }
}

function ownerOf(file: string): LockOwner | undefined {
  let db: DatabaseSync
  try {
    db = openLock(file, false)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  try {
    db.exec('BEGIN IMMEDIATE; ROLLBACK;')
    return undefined
  } catch (error) {
    if (!isBusy(error)) throw error
    return readOwner(db)
  } finally {
    db.close()
  }
}

/** Name of the file that is the lock of an OUT. */
export const lockName = (out: string): string => `${sha256(out).slice(0, 32)}.lock`

function openLock(file: string, create = true): DatabaseSync {
  const db = new DatabaseSync(create ? file : new URL(`${pathToFileURL(file)}?mode=rw`), { timeout: glanceMs })
  // What it says is of no use after a power cut.
  db.exec('PRAGMA synchronous = OFF;')
  return db
}

function busy(out: string, owner: LockOwner | undefined): CpnError {
  const who = owner ? `process ${owner.pid} on ${owner.host}, since ${owner.since}` : 'another process'
  return new CpnError('CPN_ERR_RUN_BUSY', `${who}, is writing to ${out}`, {
    suggestions: ['Wait until it is done, or name another folder with --out.'],
  })
}

function readOwner(db: DatabaseSync): LockOwner | undefined {
  try {
    return JSON.parse(ownerText(db) ?? 'null') ?? undefined
  } catch {
    // It has just been made, and nothing is in it yet.
    return undefined
  }
}

const ownerText = (db: DatabaseSync) => db.prepare('SELECT text FROM owner').get()?.text as string | undefined

const isBusy = (error: unknown) => (error as { errcode?: number }).errcode === sqliteBusy

const isMissing = (error: unknown) => (error as { errcode?: number }).errcode === sqliteCannotOpen
