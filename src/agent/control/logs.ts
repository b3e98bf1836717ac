import { statSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { lastLines, readRange } from '../agent-log.ts'
import type { FleetFolder } from '../fleet-folder.ts'

const pollMs = 200

/** The last lines of the agent's log, also out of the file before a rotation. */
export function recentLines(fleet: FleetFolder, count: number): string[] {
  const lines = lastLines(fleet.log, count)
  if (lines.length >= count) return lines
  return [...lastLines(`${fleet.log}.1`, count - lines.length), ...lines]
}

/** A place in the log that followLog goes on from. */
export interface LogPosition {
  inode: number
  bytes: number
}

export function logEnd(fleet: FleetFolder): LogPosition {
  return position(fleet.log)
}

/** What is appended to the log after `start`, across rotations, without an end. */
export async function* followLog(fleet: FleetFolder, start: LogPosition): AsyncGenerator<string> {
  let { inode, bytes } = start
  while (true) {
    const now = position(fleet.log)
    if (now.inode !== inode) {
      yield readRange(`${fleet.log}.1`, bytes, position(`${fleet.log}.1`).bytes)
      inode = now.inode
      bytes = 0
    }
    if (now.bytes > bytes) yield readRange(fleet.log, bytes, now.bytes)
    bytes = now.bytes
    await setTimeout(pollMs)
  }
}

function position(path: string): LogPosition {
  const stats = statSync(path, { throwIfNoEntry: false })
  return { inode: stats?.ino ?? 0, bytes: stats?.size ?? 0 }
}
