import { access } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { canonicalJson, sha256 } from '../../common/digest.ts'
import { CpnError } from '../../common/errors.ts'
import { packageRoot } from '../../common/package-root.ts'
import { version } from '../../common/version.ts'
import type { ReleaseFile, ReleaseManifest, ReleasePlatform } from '../../protocol/release.ts'
import { checkContents } from './check-contents.ts'
import { compressFile, type Encoding } from './compress.ts'
import { releaseContents, type SourceFile } from './contents.ts'
import { DigestCache } from './digest-cache.ts'
import { pinnedPackages } from './pinned-packages.ts'

export interface ReleaseOptions {
  /** Default: `cpn` in $XDG_CACHE_HOME, else in ~/.cache. */
  cacheDir?: string
  /** Folder with agent.mjs and worker.mjs; default: dist/bundle of this package. */
  bundleDir?: string
  signal?: AbortSignal
}

/** Bytes of a blob as they travel. */
export interface PackedBlob {
  /** File with the encoded bytes. */
  path: string
  encoding: Encoding
  wireBytes: number
}

/** A release on the master. Its bytes stay where npm put them; compressed forms are made once and kept. */
export interface Release {
  readonly platform: ReleasePlatform
  readonly manifest: ReleaseManifest
  /** Canonical JSON of the manifest: a file of the release as well. */
  readonly manifestJson: string
  /** sha256 of manifestJson. */
  readonly digest: string
  /** The distinct contents by sha256, without the manifest. */
  readonly blobs: ReadonlyMap<string, SourceBlob>
  /** The compressed form of a blob. */
  pack(sha256: string, encoding: Encoding): Promise<PackedBlob>
}

export interface SourceBlob {
  sha256: string
  bytes: number
  mode: number
  source: string
}

export function defaultCacheDir(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cpn')
}

/** The release of this version of cpn for a platform. Building it again costs a look at each file's size and time. */
export async function buildRelease(platform: ReleasePlatform, options: ReleaseOptions = {}): Promise<Release> {
  const cacheDir = options.cacheDir ?? defaultCacheDir()
  const bundleDir = options.bundleDir ?? join(packageRoot, 'dist', 'bundle')
  await requireBundle(bundleDir)
  const packagesDir = join(cacheDir, 'packages')
  const contents = await releaseContents(platform, { bundleDir, packagesDir, signal: options.signal })
  const files = await digestAll(contents, join(cacheDir, 'releases', 'digests.json'), options.signal)
  const manifest = manifestOf(platform, files)
  await checkContents(platform, contents)
  return release(platform, manifest, blobsOf(contents, files), join(cacheDir, 'releases', 'packed'))
}

async function requireBundle(bundleDir: string): Promise<void> {
  try {
    await access(join(bundleDir, 'agent.mjs'))
    await access(join(bundleDir, 'worker.mjs'))
  } catch (cause) {
    throw new CpnError('CPN_ERR_RELEASE_BUILD', `the agent's bundle is missing in ${bundleDir}`, {
      cause,
      suggestions: ['Run `npm run build` in a checkout; install cpn again elsewhere.'],
    })
  }
}

async function digestAll(contents: SourceFile[], index: string, signal?: AbortSignal): Promise<ReleaseFile[]> {
  const cache = await DigestCache.open(index)
  const files: ReleaseFile[] = []
  for (const { path, source, mode } of contents) {
    const { bytes, sha256 } = await cache.digest(source, signal)
    files.push({ path, sha256, bytes, mode })
  }
  await cache.save()
  return files
}

function manifestOf(platform: ReleasePlatform, files: ReleaseFile[]): ReleaseManifest {
  const [os, arch] = platform.split('-') as ['linux' | 'darwin', 'x64' | 'arm64']
  const runtime = pinnedPackages[os === 'darwin' ? `node-bin-${platform}` : `node-${platform}`]
  return { version, platform: os, arch, nodeVersion: runtime!.version, files }
}

// One content has one file on the host, so it has one mode there: programs win.
function blobsOf(contents: SourceFile[], files: ReleaseFile[]): Map<string, SourceBlob> {
  const blobs = new Map<string, SourceBlob>()
  for (const [index, { sha256, bytes, mode }] of files.entries()) {
    const known = blobs.get(sha256)
    if (!known || mode > known.mode) blobs.set(sha256, { sha256, bytes, mode, source: contents[index]!.source })
  }
  return blobs
}

function release(
  platform: ReleasePlatform,
  manifest: ReleaseManifest,
  blobs: Map<string, SourceBlob>,
  packedDir: string,
): Release {
  const manifestJson = canonicalJson(manifest)
  const pack = async (sha: string, encoding: Encoding): Promise<PackedBlob> => {
    const blob = blobs.get(sha)
    if (!blob) throw new CpnError('CPN_ERR_RELEASE_BUILD', `${sha} is no blob of this release`)
    const path = join(packedDir, `${sha}.${encoding}`)
    return { path, encoding, wireBytes: await compressFile(blob.source, path, encoding) }
  }
  return {
    platform,
    manifest,
    manifestJson,
    digest: sha256(manifestJson),
    blobs,
    pack,
  }
}

/** Path of the file in the release → its blob, for those that provisioning treats specially. */
export function blobAt(release: Release, path: string): SourceBlob {
  const file = release.manifest.files.find((candidate) => candidate.path === path)
  if (!file) throw new CpnError('CPN_ERR_RELEASE_BUILD', `the release lacks ${path}`)
  return release.blobs.get(file.sha256)!
}

/** Bytes the unpacked release takes on a disk, its manifest included. */
export function releaseBytes(release: Release): number {
  const total = [...release.blobs.values()].reduce((sum, blob) => sum + blob.bytes, 0)
  return total + Buffer.byteLength(release.manifestJson)
}

/** Makes every compressed form that an upload may ask for; returns their total size. */
export async function packAll(release: Release): Promise<number> {
  let total = 0
  const runtime = blobAt(release, 'bin/node').sha256
  for (const sha of release.blobs.keys())
    total += (await release.pack(sha, sha === runtime ? 'gzip' : 'zstd')).wireBytes
  return total
}
