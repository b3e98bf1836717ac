import { appendFileSync, closeSync, openSync, readSync, renameSync, statSync } from 'node:fs'
import { createLogger, type Logger } from '../common/logger.ts'

const maxBytes = 10 * 2 ** 20
const tailBytes = 256 * 1024

/** NDJSON into `path`; beyond its size limit the file becomes `<path>.1` and a new one begins. */
export function openAgentLog(path: string, limitBytes = maxBytes): Logger {
  return createLogger({ write: (line: string) => append(path, line, limitBytes) }, 'info')
}

// Opened for each line, because supervisor and keeper write the same file. A full disk must not end the agent.
function append(path: string, line: string, limitBytes: number): void {
  try {
    if (fileBytes(path) + line.length > limitBytes) renameSync(path, `${path}.1`)
    appendFileSync(path, line, { mode: 0o600 })
  } catch {}
}

export function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
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

/** Text of a file from byte `start` to `end`; '' when the file is gone. */
export function readRange(path: string, start: number, end: number): string {
  try {
    const fd = openSync(path, 'r')
    try {
      const buffer = Buffer.alloc(Math.max(0, end - start))
      return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, start))
    } finally {
      closeSync(fd)
    }
  } catch {
    return ''
  }
}
