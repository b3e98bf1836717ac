import { existsSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'

/** What we changed outside our own folder to use the user's systemd: to be undone with the last unit. */
const recordSchema = z.object({ createdFolders: z.array(z.string()), lingerEnabled: z.boolean() })
export type SystemdRecord = z.infer<typeof recordSchema>

export function unitFolder(): string {
  return join(homedir(), '.config', 'systemd', 'user')
}

/** The folders that a unit needs, outermost first. */
function neededFolders(): string[] {
  const config = join(homedir(), '.config')
  return [config, join(config, 'systemd'), unitFolder(), join(unitFolder(), 'default.target.wants')]
}

export function readRecord(home: string): SystemdRecord {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(recordPath(home), 'utf8')))
  } catch {
    return { createdFolders: [], lingerEnabled: false }
  }
}

/** Notes the folders that are not there yet; call it before they are made. */
export function recordMissingFolders(home: string): void {
  const record = readRecord(home)
  const missing = neededFolders().filter((folder) => !existsSync(folder))
  writeRecord(home, { ...record, createdFolders: [...new Set([...record.createdFolders, ...missing])] })
}

export function recordLinger(home: string): void {
  writeRecord(home, { ...readRecord(home), lingerEnabled: true })
}

/** Removes the folders we made, as far as nobody else uses them now, and the record. */
export function forgetRecord(home: string): void {
  const { createdFolders } = readRecord(home)
  for (const folder of createdFolders.toReversed()) removeIfEmpty(folder)
  rmSync(recordPath(home), { force: true })
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {}
}

function writeRecord(home: string, record: SystemdRecord): void {
  writeFileSync(recordPath(home), JSON.stringify(record))
}

function recordPath(home: string): string {
  return join(home, 'systemd.json')
}
