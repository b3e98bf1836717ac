import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileBytes, rotatedFiles } from './rotating-file.ts'

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export type LogLevel = (typeof logLevels)[number]

export function isLogLevel(name: string): name is LogLevel {
  return (logLevels as readonly string[]).includes(name)
}

/** Which lines of a log are wanted. */
export interface LogFilter {
  /** The last so many of them. */
  lines: number
  /** Not older than this (milliseconds since 1970, by the clock of the log). */
  notBefore?: number | undefined
  /** This level and worse. */
  level?: LogLevel | undefined
}

const tailBytes = 256 * 1024
const pollMs = 200
const chunkBytes = 1 << 20

/** A line of NDJSON as an object; undefined for anything else. */
export function parseLogLine(line: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(line)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** The level of a line; older versions wrote pino's numbers. What says nothing is `info`. */
export function levelOf({ level }: Record<string, unknown>): LogLevel {
  if (typeof level === 'number') return logLevels[Math.min(5, Math.max(0, Math.round(level / 10) - 1))]!
  return logLevels.find((name) => name === level) ?? 'info'
}

/** Milliseconds since 1970; NaN for a line that does not say. */
export function timeOf({ time }: Record<string, unknown>): number {
  return typeof time === 'number' ? time : typeof time === 'string' ? Date.parse(time) : Number.NaN
}

/** Whether a line is wanted. What is no line of ours has no time and no level, and is not held back. */
export function isWanted(line: string, { notBefore, level }: Omit<LogFilter, 'lines'>): boolean {
  if (notBefore === undefined && level === undefined) return true
  const parsed = parseLogLine(line)
  if (!parsed) return level === undefined
  if (level !== undefined && logLevels.indexOf(levelOf(parsed)) < logLevels.indexOf(level)) return false
  return notBefore === undefined || !(timeOf(parsed) < notBefore)
}

/** The last wanted lines of a log and of what it was rotated into, oldest first. */
export function recentLines(path: string, filter: LogFilter): string[] {
  let found: string[] = []
  for (const file of rotatedFiles(path).toReversed()) {
    if (found.length >= filter.lines || isOlder(file, filter.notBefore)) break
    found = [...linesOf(file, { ...filter, lines: filter.lines - found.length }), ...found]
  }
  return found
}

function linesOf(file: string, filter: LogFilter): string[] {
  const isPlain = filter.notBefore === undefined && filter.level === undefined
  if (isPlain) return lastLines(file, filter.lines)
  const found: string[] = []
  for (const line of allLines(file)) {
    if (line === '' || !isWanted(line, filter)) continue
    found.push(line)
    if (found.length > 2 * filter.lines) found.splice(0, found.length - filter.lines)
  }
  return found.slice(-filter.lines)
}

function isOlder(file: string, notBefore = 0): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY) < notBefore
}

/** The last lines of a file; of a large one only its end is read. */
export function lastLines(path: string, count: number): string[] {
  if (count === 0) return []
  const bytes = fileBytes(path)
  const start = Math.max(0, bytes - Math.max(tailBytes, count * 512))
  const lines = readRange(path, start, bytes).split('\n')
  if (start > 0) lines.shift()
  return lines.filter((line) => line !== '').slice(-count)
}

function* allLines(path: string): Generator<string> {
  const bytes = fileBytes(path)
  let rest = ''
  for (let at = 0; at < bytes; at += chunkBytes) {
    const parts = (rest + readRange(path, at, Math.min(bytes, at + chunkBytes), 'latin1')).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) yield utf8(part)
  }
  if (rest !== '') yield utf8(rest)
}

// A chunk may end within a character; bytes do not mind.
function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

/** A place in a log that followLog goes on from. */
export interface LogPosition {
  inode: number
  bytes: number
}

export function logEnd(path: string): LogPosition {
  const stats = statSync(path, { throwIfNoEntry: false })
  return { inode: stats?.ino ?? 0, bytes: stats?.size ?? 0 }
}

/** What is appended to a log after `start`, across rotations, until the signal aborts. */
export async function* followLog(path: string, start: LogPosition, signal?: AbortSignal): AsyncGenerator<string> {
  let { inode, bytes } = start
  while (!signal?.aborted) {
    const now = logEnd(path)
    if (now.inode !== inode) {
      const before = rotatedFiles(path).findLast((file) => logEnd(file).inode === inode)
      if (before && inode !== 0) yield readRange(before, bytes, fileBytes(before))
      inode = now.inode
      bytes = 0
    }
    if (now.bytes > bytes) yield readRange(path, bytes, now.bytes)
    bytes = now.bytes
    await sleep(pollMs, undefined, { signal }).catch(() => {})
  }
}

/** Text of a file from byte `start` to `end`; '' when the file is gone. */
function readRange(path: string, start: number, end: number, encoding: BufferEncoding = 'utf8'): string {
  try {
    const fd = openSync(path, 'r')
    try {
      const buffer = Buffer.alloc(Math.max(0, end - start))
      return buffer.toString(encoding, 0, readSync(fd, buffer, 0, buffer.length, start))
    } finally {
      closeSync(fd)
    }
  } catch {
    return ''
  }
}
