import { type DestinationStream, type Logger, pino } from 'pino'

export type { Logger }

/**
 * A logger of NDJSON lines. Libraries take one and print nothing themselves.
 * @param destination where lines go; without one nothing is logged
 */
export function createLogger(destination?: DestinationStream, level = 'info'): Logger {
  if (!destination) return pino({ level: 'silent' })
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination)
}
