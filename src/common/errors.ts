import { type ErrorCode, errorCodes, exitCodes } from './error-codes.ts'

export interface CpnErrorOptions {
  /** What to do next: one imperative sentence each. */
  suggestions?: string[]
  /** True when the same request may succeed later or elsewhere. */
  retryable?: boolean
  /** Inventory name of the host this happened on. */
  host?: string
  cause?: unknown
}

/** The one error class: what happened (message), where (host), what to do next (suggestions). */
export class CpnError extends Error {
  override readonly name = 'CpnError'
  readonly code: ErrorCode
  readonly exitCode: number
  readonly suggestions: string[]
  readonly retryable: boolean
  readonly host: string | undefined
  /** oclif reads this without --json and `exitCode` with it. */
  readonly oclif: { exit: number }

  constructor(code: ErrorCode, message: string, options: CpnErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.exitCode = exitCodes[errorCodes[code]]
    this.suggestions = options.suggestions ?? []
    this.retryable = options.retryable ?? false
    this.host = options.host
    this.oclif = { exit: this.exitCode }
  }

  toJSON(): object {
    const { code, message, suggestions, host, exitCode } = this
    return { code, message, ...(host === undefined ? {} : { host }), suggestions, exitCode }
  }
}

/** Anything thrown as a CpnError; what is not one is a bug. */
export function toCpnError(error: unknown): CpnError {
  if (error instanceof CpnError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new CpnError('CPN_ERR_BUG', message, {
    cause: error,
    suggestions: ['This is a bug in cpn. Report it with the output of the same command under CPN_DEBUG=1.'],
  })
}

/** The `code` of a Node.js system error ('ENOENT', …), if it is one. */
export function systemErrorCode(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

const systemReasons: Record<string, string> = {
  EACCES: 'permission denied',
  EBUSY: 'it is in use',
  EISDIR: 'it is a folder',
  EIO: 'the disk reports an error',
  ELOOP: 'its links go round in a circle',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'its name is too long',
  EDQUOT: 'the quota is used up',
  ENOENT: 'it does not exist',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of its path is not a folder',
  EPERM: 'it is not permitted',
  EROFS: 'the disk is read-only',
}

/** A system error in plain words, without the call and the path that Node.js adds; other errors by their message. */
export function reasonOf(error: unknown): string {
  return systemReasons[systemErrorCode(error) ?? ''] ?? (error instanceof Error ? error.message : String(error))
}
