import { CpnError } from '../../common/errors.ts'
import { transferExit } from './scripts.ts'

const again = 'Run the command again; what arrived whole is not lost.'

/** An error of a transfer: `what` says what happened. */
export function transferError(host: string, what: string, suggestions: string[] = [again], cause?: unknown): CpnError {
  return new CpnError('CPN_ERR_TRANSFER', what, { host, suggestions, cause })
}

/** Why a script of a transfer failed, from its exit. */
export function scriptFailure(
  host: string,
  what: string,
  { exitCode, signal, stderr }: { exitCode: number | null; signal: string | null; stderr: string },
): CpnError {
  const said = stderr.trim().split('\n')[0]!
  const fail = (why: string, suggestion: string): CpnError => transferError(host, `${what}: ${why}`, [suggestion])
  if (/no space left|disk full|quota exceeded/i.test(stderr)) return fail('the disk is full', 'Free space on the host.')
  if (/read-only file system/i.test(stderr)) return fail('the disk is read-only', 'Choose another folder on the host.')
  if (/permission denied|not permitted/i.test(stderr)) {
    return fail(`permission denied (${said})`, 'Choose a folder that belongs to the user, or log in as its owner.')
  }
  switch (exitCode) {
    case transferExit.size:
      return fail('not all bytes arrived', again)
    case transferExit.digest:
      return fail('what arrived has a wrong digest', again)
    case transferExit.noDigestProgram:
      return fail('no program computes SHA-256 there', 'Install sha256sum (coreutils), shasum or openssl on the host.')
    case transferExit.missing:
      return fail(said || 'it does not exist', 'Check the path on the host.')
    default:
      return fail(said || `the command ended with ${exitCode ?? signal}`, 'Check the path on the host; try again.')
  }
}

/** True when a host said no to one request by SFTP: one that does not answer says no to all. */
export function isRefused(error: unknown): error is CpnError {
  return error instanceof CpnError && error.code === 'CPN_ERR_TRANSFER' && !error.retryable
}
