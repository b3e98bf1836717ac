import type { Stats } from 'node:fs'
import { chmod, mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CpnError, reasonOf, systemErrorCode } from '../common/errors.ts'
import { fleetIdIn } from './fleet-id.ts'
import { appendHostEvent, type HostEvent, readHostEvents } from './host-history.ts'
import { hostNameFault } from './schema.ts'

export type { HostEvent } from './host-history.ts'

/** Absolute paths in a state folder. */
export interface StatePaths {
  dir: string
  /** OpenSSH format, keyed by inventory name. */
  knownHostsFile: string
  ledgerFile: string
  modelsDir: string
  /** Versions of pipelines, and which of them are in use. */
  pipelinesDir: string
  logsDir: string
  /** Who is enrolled. */
  peopleDir: string
  /** Locks of folders that runs write to. */
  locksDir: string
  /** What was planned, and what came of it. */
  plansDir: string
}

/** What a fleet remembers beside its inventory. */
export interface State extends StatePaths {
  /** Minted once; 12 characters of a-z and 0-9. */
  fleetId: string
  /** Appends to the host's history; the time is added. */
  recordHostEvent(name: string, event: { event: string; [detail: string]: unknown }): Promise<void>
  /** File of the provisioning of a host that has not succeeded yet. */
  journalFile(name: string): string
  /** Notes that the host's agent answered just now. */
  markSeen(name: string): Promise<void>
  /** When the host's agent answered last (ISO 8601, UTC); undefined if it never did. */
  lastSeen(name: string): Promise<string | undefined>
  /** Absolute path of what hostHistory reads; there is none before something happened. */
  hostHistoryFile(name: string): string
  /** Oldest first; empty for a host that nothing happened to. */
  hostHistory(name: string): Promise<HostEvent[]>
  /** Removes what would be believed of another host that gets the name: its journal, and when it was seen. History stays. */
  forgetHost(name: string): Promise<void>
}

/** What commands log, in logsDir. */
export const logFileName = 'cpn.ndjson'

/** Where things are in a state folder, whether it exists or not. */
export function statePaths(dir: string): StatePaths {
  return {
    dir,
    knownHostsFile: join(dir, 'known_hosts'),
    ledgerFile: join(dir, 'ledger.db'),
    modelsDir: join(dir, 'models'),
    pipelinesDir: join(dir, 'pipelines'),
    logsDir: join(dir, 'logs'),
    peopleDir: join(dir, 'people'),
    locksDir: join(dir, 'locks'),
    plansDir: join(dir, 'plans'),
  }
}

/**
 * Opens the state folder at `stateDir` (absolute), creating it with mode 0700. Ends with CPN_ERR_STATE_DIR when it
 * belongs to somebody else or others can get into it.
 */
export async function openState(stateDir: string): Promise<State> {
  try {
    const paths = statePaths(stateDir)
    await makePrivate(stateDir)
    for (const dir of [paths.modelsDir, paths.logsDir, join(stateDir, 'hosts')])
      await mkdir(dir, { recursive: true, mode: 0o700 })
    await writeOnce(join(stateDir, '.gitignore'), '*\n')
    return { ...paths, ...history(stateDir), fleetId: await fleetIdIn(join(stateDir, 'fleet-id')) }
  } catch (error) {
    if (error instanceof CpnError) throw error
    throw refused(stateDir, `cannot be used: ${reasonOf(error)}`, 'Make it writable for this user.', error)
  }
}

function history(
  stateDir: string,
): Pick<
  State,
  'recordHostEvent' | 'hostHistory' | 'hostHistoryFile' | 'journalFile' | 'markSeen' | 'lastSeen' | 'forgetHost'
> {
  const fileOf = (name: string, extension: string) => {
    const fault = hostNameFault(name)
    if (fault) throw new CpnError('CPN_ERR_HOST_UNKNOWN', fault)
    return join(stateDir, 'hosts', `${name}.${extension}`)
  }
  return {
    recordHostEvent: async (name, event) => appendHostEvent(fileOf(name, 'ndjson'), event),
    hostHistoryFile: (name) => fileOf(name, 'ndjson'),
    hostHistory: async (name) => readHostEvents(fileOf(name, 'ndjson')),
    journalFile: (name) => fileOf(name, 'journal'),
    // The file's time is the message: it is written often and nothing has to be read back to do so.
    markSeen: async (name) => writeFile(fileOf(name, 'seen'), '', { mode: 0o600 }),
    lastSeen: async (name) => (await stat(fileOf(name, 'seen')).catch(() => undefined))?.mtime.toISOString(),
    forgetHost: async (name) => {
      for (const extension of ['journal', 'seen']) await rm(fileOf(name, extension), { force: true })
    },
  }
}

async function makePrivate(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 }).catch(async (error: unknown) => {
    // With `recursive` Node.js calls a read-only disk a missing folder.
    if (systemErrorCode(error) !== 'ENOENT') throw error
    await mkdir(dir, { mode: 0o700 })
  })
  const status = await stat(dir)
  if (status.uid !== process.getuid?.()) {
    throw refused(dir, 'belongs to another user', 'Run cpn as its owner, or use a copy of the inventory of your own.')
  }
  if (isPrivate(status)) return
  await chmod(dir, 0o700)
  if (isPrivate(await stat(dir))) return
  throw refused(dir, 'is open to other users and its file system keeps it so', 'Move the inventory to another disk.')
}

const isPrivate = (status: Stats): boolean => (status.mode & 0o077) === 0

async function writeOnce(file: string, content: string): Promise<void> {
  await writeFile(file, content, { flag: 'wx' }).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'EEXIST') throw error
  })
}

function refused(dir: string, reason: string, suggestion: string, cause?: unknown): CpnError {
  return new CpnError('CPN_ERR_STATE_DIR', `the state folder ${dir} ${reason}`, { cause, suggestions: [suggestion] })
}
