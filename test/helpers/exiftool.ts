import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'

/** Reason for leaving a test out where there is no exiftool. */
export const exiftoolMissing: string | false =
  spawnSync('exiftool', ['-ver']).status === 0 ? false : 'needs exiftool (package libimage-exiftool-perl)'

/** All of a file's XMP as exiftool reads it, by group and name: `XMP-dc:Subject`. */
export function readXmp(file: string): Record<string, unknown> {
  const [tags] = JSON.parse(exiftool('-j', '-struct', '-G1', '-n', '-XMP:all', file))
  return tags
}

/** Runs exiftool, which has to have nothing to complain about. */
export function exiftool(...args: string[]): string {
  const { stdout, stderr, status } = spawnSync('exiftool', args, { encoding: 'utf8' })
  assert.deepEqual([status, stderr], [0, ''], stdout)
  return stdout
}
