import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A process that a later one with the same pid is not mistaken for. */
export interface ProcessIdentity {
  pid: number
  /** When it started, in whatever the system counts in; only compared. */
  startTime: string
}

/** The identity of a living process; undefined when there is none (a zombie counts as none). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const startTime = process.platform === 'linux' ? linuxStartTime(pid) : psStartTime(pid)
  return startTime === undefined ? undefined : { pid, startTime }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startTime === identity.startTime
}

/** Sends a signal to this very process. False when it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false
  try {
    return process.kill(identity.pid, signal)
  } catch {
    return false
  }
}

function linuxStartTime(pid: number): string | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return undefined
  }
}

/** Field 22 of /proc/<pid>/stat. The command in field 2 may hold spaces and parentheses, so count from its end. */
export function parseStat(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

function psStartTime(pid: number): string | undefined {
  try {
    // BSD's ps takes what follows the first '=' for a heading; the time is written in the language of the session.
    const [state = '', ...start] = execFileSync('ps', ['-o', 'state=', '-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .trim()
      .split(/\s+/)
    return start.length === 0 || state.startsWith('Z') ? undefined : start.join(' ')
  } catch {
    return undefined
  }
}
