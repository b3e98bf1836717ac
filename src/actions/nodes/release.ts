import { chmod, constants, copyFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Context } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import { manifestPath, type ReleasePlatform } from '../../protocol/release.ts'
import {
  buildRelease,
  packAll,
  type Release,
  type ReleaseOptions,
  releaseBytes,
} from '../../provision/release/build.ts'

export interface BuildReleaseOptions extends ReleaseOptions {
  platform: ReleasePlatform
  /** Folder that the release is unpacked into; it has to be new or empty. */
  out?: string
}

export interface ReleaseReport {
  platform: ReleasePlatform
  digest: string
  version: string
  nodeVersion: string
  files: number
  bytes: number
  /** Bytes of everything as it travels. */
  packedBytes: number
  out: string | null
}

/** Prepares a release, so that provisioning needs no network later. Rejects with CPN_ERR_RELEASE_BUILD. */
export async function prepareRelease(options: BuildReleaseOptions, ctx: Context): Promise<ReleaseReport> {
  const { platform, out } = options
  const release = await buildRelease(platform, { signal: ctx.signal, ...options })
  const packedBytes = await packAll(release)
  if (out !== undefined) await unpack(release, out)
  const { version, nodeVersion, files } = release.manifest
  return {
    platform,
    digest: release.digest,
    version,
    nodeVersion,
    files: files.length,
    bytes: releaseBytes(release),
    packedBytes,
    out: out ?? null,
  }
}

async function unpack(release: Release, out: string): Promise<void> {
  for (const { path, sha256, mode } of release.manifest.files) {
    const target = join(out, path)
    await mkdir(dirname(target), { recursive: true })
    await copyFile(release.blobs.get(sha256)!.source, target, constants.COPYFILE_EXCL).catch((cause: Error) => {
      throw new CpnError('CPN_ERR_RELEASE_BUILD', `${target} could not be written: ${cause.message}`, {
        cause,
        suggestions: ['Give a new or empty folder with --out.'],
      })
    })
    await chmod(target, mode)
  }
  await writeFile(join(out, manifestPath), release.manifestJson, { mode: 0o444 })
}
