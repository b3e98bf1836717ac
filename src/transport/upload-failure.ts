import { CpnError } from '../common/errors.ts'
import { type UploadTarget, uploadExit } from './upload-script.ts'

const diskFull = /no space left|disk full|quota exceeded|ENOSPC|EDQUOT/i

/** Why an upload failed, from the exit of its script. */
export function uploadFailure(
  host: string,
  { path, bytes }: UploadTarget,
  result: { exitCode: number | null; signal: string | null; stderr: string },
): CpnError {
  const said = result.stderr.trim()
  const fail = (what: string, suggestions: string[], retryable = false): CpnError =>
    new CpnError('CPN_ERR_UPLOAD', `cannot write ${path} on ${host}: ${what}`, { host, suggestions, retryable })
  if (diskFull.test(said)) {
    return fail(`the disk is full (${bytes} bytes are needed)`, [
      'Free space on the host (inodes, where `df -i` shows none), or choose another remoteDir.',
    ])
  }
  switch (result.exitCode) {
    case uploadExit.size:
      return fail(
        `${said} of ${bytes} bytes arrived`,
        ['Check that the local file does not change meanwhile; try again.'],
        true,
      )
    case uploadExit.digest:
      return fail('its digest is wrong', ['Check that the local file does not change meanwhile; try again.'], true)
    case uploadExit.noDigestProgram:
      return fail('no program computes SHA-256 there', [
        'Install sha256sum (coreutils), shasum or openssl on the host.',
      ])
    default:
      return fail(said || `the command ended with ${result.exitCode ?? result.signal}`, [
        'Check that the folder exists and belongs to the user.',
      ])
  }
}
