import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url))

const sharedRoot = process.env.CPN_TEST_DATA ?? join(repositoryRoot, '..', 'shared')

/** Reason for leaving a test out where the photographs and models for tests are missing; false where they are there. */
export const sharedMissing: string | false = existsSync(join(sharedRoot, 'photos'))
  ? false
  : 'needs the shared photographs and models'

/** Path of a file of the shared test data. */
export function shared(...parts: string[]): string {
  return join(sharedRoot, ...parts)
}
