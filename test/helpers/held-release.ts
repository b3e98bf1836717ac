import { chmodSync, chownSync, copyFileSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { nodePaths } from '../../src/protocol/paths.ts'
import type { ReleasePlatform } from '../../src/protocol/release.ts'
import { buildRelease } from '../../src/provision/release/build.ts'
import { repositoryRoot } from './shared.ts'

const cacheDir = join(repositoryRoot, 'node_modules', '.cache', 'cpn-test', 'cpn')
const large = 1 << 20

/**
 * Leaves the large files of a release in a host's home, as an earlier version of cpn does, so that provisioning sends only
 * what is new. For tests that need nodes and are not about how they come to be.
 */
export async function leaveLargeFiles(home: string): Promise<void> {
  const { uid, gid } = statSync(home)
  const platform = `${process.platform}-${process.arch}` as ReleasePlatform
  const { blobs } = await buildRelease(platform, { cacheDir })
  const place = (path: string) => join(home, '.cpn', path)
  for (const folder of [place(''), place('blobs')]) {
    mkdirSync(folder, { mode: 0o700 })
    chownSync(folder, uid, gid)
  }
  for (const { sha256, bytes, source, mode } of blobs.values()) {
    if (bytes < large || source.endsWith('.mjs')) continue
    const path = join(home, '.cpn', nodePaths.blob(sha256))
    copyFileSync(source, path)
    chmodSync(path, mode)
    chownSync(path, uid, gid)
  }
}
