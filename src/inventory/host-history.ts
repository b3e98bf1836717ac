import { appendFile, readFile } from 'node:fs/promises'
import { systemErrorCode } from '../common/errors.ts'

/** Something that happened to a host, with whatever details belong to it. */
export interface HostEvent {
  /** ISO 8601, UTC. */
  time: string
  /** added, removed, provisioned (with `release`), unprovisioned, … */
  event: string
  [detail: string]: unknown
}

/** Appends one line; the file is created when there is none. */
export async function appendHostEvent(
  file: string,
  event: { event: string; [detail: string]: unknown },
): Promise<void> {
  const line = JSON.stringify({ time: new Date().toISOString(), ...event })
  await appendFile(file, `${line}\n`, { mode: 0o600, flush: true })
}

/** All events of a host, oldest first; a line that a crash cut short is left out. */
export async function readHostEvents(file: string): Promise<HostEvent[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return ''
    throw error
  })
  return text.split('\n').flatMap((line) => parseEvent(line) ?? [])
}

/** Digest of the release that is on the host as far as this fleet knows; undefined when none is. */
export function provisionedRelease(history: readonly HostEvent[]): string | undefined {
  const last = history.findLast(({ event }) => ['provisioned', 'unprovisioned', 'added', 'removed'].includes(event))
  return last?.event === 'provisioned' ? String(last.release ?? 'unknown') : undefined
}

/** When the first thing happened to the host that has the name now (ISO 8601, UTC); one that was removed was another. */
export function firstSeen(history: readonly HostEvent[]): string | undefined {
  return history[history.findLastIndex(({ event }) => event === 'removed') + 1]?.time
}

function parseEvent(line: string): HostEvent | undefined {
  try {
    const event: unknown = JSON.parse(line)
    const { time, event: name } = event as Partial<HostEvent>
    return typeof time === 'string' && typeof name === 'string' ? (event as HostEvent) : undefined
  } catch {
    return undefined
  }
}
