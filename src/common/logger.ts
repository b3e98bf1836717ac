import { type DestinationStream, type Logger, pino } from 'pino'

export type { Logger }

/** What a field may hold at most; a log is no place for pictures and vectors. */
const maxChars = 1000
const maxItems = 50
const maxDepth = 5
const secret = /pass(word|phrase)|secret|token|private.?key|embedding|keypoint|person/i

/**
 * A logger of NDJSON lines: time, level, msg and the fields of the event. Libraries take one and print nothing themselves.
 * What came from elsewhere does no harm in a line: long texts and lists are cut, bytes are counted, fields named as secrets or
 * as something of a face are left out, and no character of a line acts on a terminal.
 * @param destination where lines go; without one nothing is logged
 */
export function createLogger(destination?: DestinationStream, level = 'info'): Logger {
  if (!destination) return pino({ level: 'silent' })
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: harmlessFields,
    },
    serializers: { err: (error: unknown) => error },
    hooks: {
      logMethod(args: unknown[], method: (...args: unknown[]) => void) {
        method.apply(
          this,
          args.map((arg) => (typeof arg === 'string' ? cut(arg) : arg)),
        )
      },
    },
  }
  return pino(options as never, { write: (line: string) => destination.write(escapeUnprintable(line)) })
}

/** Fields of an event as they may stand in a log; see createLogger. */
export function harmlessFields(fields: Record<string, unknown>): Record<string, unknown> {
  return harmless(fields, 0) as Record<string, unknown>
}

/** JSON escapes C0; what else acts on terminals stands in strings only, so that the same escape does. */
export function escapeUnprintable(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function harmless(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cut(value)
  if (typeof value !== 'object' || value === null) return value
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  if (value instanceof Error) return errorFields(value)
  if (depth >= maxDepth) return '[…]'
  if (Array.isArray(value)) {
    return value.length > maxItems ? `[${value.length} items]` : value.map((item) => harmless(item, depth + 1))
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, secret.test(key) ? '[left out]' : harmless(each, depth + 1)]),
  )
}

function errorFields(error: Error): object {
  const { name, message, stack } = error
  const { code } = error as { code?: unknown }
  return { type: name, message: cut(message), ...(typeof code === 'string' ? { code } : {}), stack: cut(stack ?? '') }
}

function cut(text: string): string {
  return text.length > maxChars ? `${text.slice(0, maxChars)}…` : text
}
