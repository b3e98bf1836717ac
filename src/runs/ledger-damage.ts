import { CpnError } from '../common/errors.ts'

/** Primary result codes of SQLite. */
const [sqliteError, sqliteCorrupt, sqliteFull, sqliteNotADatabase] = [1, 11, 13, 26]

/**
 * The ledger at `file` with every error of its file told as CPN_ERR_STATE_DIR: SQLite notices damage only when it comes
 * to the page that has it, which may be in any call.
 */
export function tellDamage<T extends object>(ledger: T, file: string): T {
  return new Proxy(ledger, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => guard(() => value.apply(target, args), file)
    },
  })
}

function guard(read: () => unknown, file: string): unknown {
  try {
    const result = read()
    return isIterator(result) ? guardEach(result, file) : result
  } catch (error) {
    throw ledgerError(file, error)
  }
}

function* guardEach(rows: IterableIterator<unknown>, file: string): Generator<unknown> {
  try {
    yield* rows
  } catch (error) {
    throw ledgerError(file, error)
  }
}

function isIterator(value: unknown): value is IterableIterator<unknown> {
  return typeof (value as Partial<Iterator<unknown>> | null | undefined)?.next === 'function'
}

/** What an error of SQLite, or of what a row should hold, means to the user. Anything else stays what it is. */
export function ledgerError(file: string, cause: unknown): unknown {
  const { errcode, message } = cause as Error & { errcode?: number }
  const primary = errcode === undefined ? undefined : errcode & 0xff
  const isDamage = [sqliteError, sqliteCorrupt, sqliteNotADatabase].includes(primary ?? 0)
  // JSON and vectors that are not whole.
  const isNonsense = cause instanceof SyntaxError || cause instanceof RangeError
  if (cause instanceof CpnError || (primary === undefined && !isNonsense)) return cause
  const suggestions =
    isDamage || isNonsense
      ? [`Move it away, what it knew of earlier runs goes with it: mv ${file} ${file}.damaged`]
      : primary === sqliteFull
        ? ['Free space there, then run the same command again.']
        : ['Check that the folder is writable.']
  return new CpnError('CPN_ERR_STATE_DIR', `the ledger ${file} cannot be used: ${message}`, { cause, suggestions })
}
