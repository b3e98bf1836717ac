import { createLogger, type Logger } from '../common/logger.ts'
import { RotatingFile } from '../common/rotating-file.ts'

const limitBytes = 10 * 2 ** 20
const keep = 3

/** NDJSON into `path`, which is rotated by its size. Supervisor and keeper write the same file. */
export function openAgentLog(path: string, rotation = { limitBytes, keep }): Logger {
  const file = new RotatingFile(path, rotation)
  return createLogger({ write: (line: string) => file.append(line) }, 'info')
}
