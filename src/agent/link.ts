import { type Dirent, existsSync } from 'node:fs'
import { chmod, link, mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { sha256, sha256File } from '../common/digest.ts'
import { CpnError, systemErrorCode } from '../common/errors.ts'
import { sha256Schema } from '../protocol/model.ts'
import { nodePaths } from '../protocol/paths.ts'
import {
  manifestPath,
  type ReceiveAnswer,
  type ReleaseFile,
  type ReleaseManifest,
  releaseManifestSchema,
} from '../protocol/release.ts'

type LinkAnswer = Pick<ReceiveAnswer, 'damaged' | 'linked'>

/**
 * Assembles releases/<digest> of hard links to blobs: in a temporary folder, renamed when it is whole. Blobs are
 * compared with their digest first, except `trusted` ones, which were compared a moment ago. Wrong or missing blobs are
 * removed and named in `damaged`; then nothing is linked.
 */
export async function linkRelease(home: string, digest: string, trusted: ReadonlySet<string>): Promise<LinkAnswer> {
  const manifest = await readManifest(home, digest)
  if (!manifest) return { damaged: [digest], linked: false }
  const damaged = await damagedBlobs(home, manifest.files, trusted)
  if (damaged.length > 0) return { damaged, linked: false }
  await assemble(home, digest, manifest.files)
  return { damaged: [], linked: true }
}

// The manifest is a blob whose name is its digest.
async function readManifest(home: string, digest: string): Promise<ReleaseManifest | undefined> {
  const path = join(home, nodePaths.blob(digest))
  const json = await readFile(path, 'utf8').catch(() => undefined)
  if (json !== undefined && sha256(json) === digest) return releaseManifestSchema.parse(JSON.parse(json))
  await rm(path, { force: true })
  return undefined
}

async function damagedBlobs(home: string, files: ReleaseFile[], trusted: ReadonlySet<string>): Promise<string[]> {
  const damaged: string[] = []
  for (const file of new Map(files.map((entry) => [entry.sha256, entry])).values()) {
    const path = join(home, nodePaths.blob(file.sha256))
    if (await isWhole(path, file, trusted.has(file.sha256))) continue
    await rm(path, { force: true })
    damaged.push(file.sha256)
  }
  return damaged
}

async function isWhole(path: string, file: ReleaseFile, trusted: boolean): Promise<boolean> {
  try {
    if ((await stat(path)).size !== file.bytes) return false
    return trusted || (await sha256File(path)) === file.sha256
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false
    throw error
  }
}

async function assemble(home: string, digest: string, files: ReleaseFile[]): Promise<void> {
  const releases = join(home, 'releases')
  await mkdir(releases, { recursive: true, mode: 0o700 })
  const temporary = await mkdtemp(join(releases, '.link-'))
  try {
    const modes = blobModes(files)
    const all = [...files, { path: manifestPath, sha256: digest }]
    for (const folder of new Set(all.map(({ path }) => dirname(path)))) {
      await mkdir(join(temporary, folder), { recursive: true, mode: 0o700 })
    }
    for (const { path, sha256: blob } of all) {
      await chmod(join(home, nodePaths.blob(blob)), modes.get(blob) ?? 0o444)
      await link(join(home, nodePaths.blob(blob)), join(temporary, path))
    }
    await syncFolders(temporary)
    await replace(temporary, join(home, nodePaths.release(digest)), releases)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

// Links share one inode and with it one mode: programs win.
function blobModes(files: ReleaseFile[]): Map<string, number> {
  const modes = new Map<string, number>()
  for (const { sha256: blob, mode } of files) modes.set(blob, Math.max(mode, modes.get(blob) ?? 0))
  return modes
}

// A folder that is there already lacks something, or this would not be asked: it makes room.
async function replace(from: string, to: string, releases: string): Promise<void> {
  if (existsSync(to)) {
    const old = await mkdtemp(join(releases, '.old-'))
    await rename(to, join(old, 'release'))
    await rename(from, to)
    await rm(old, { recursive: true, force: true })
  } else {
    await rename(from, to)
  }
  await syncFolder(releases)
}

async function syncFolders(root: string): Promise<void> {
  const entries: Dirent[] = await readdir(root, { recursive: true, withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
  for (const folder of [root, ...folders]) await syncFolder(folder)
}

async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path)
  await handle.sync()
}

/** Refuses anything but an absolute folder, so that a wrong call cannot write elsewhere. */
export function requireHome(home: string | undefined): string {
  if (home?.startsWith('/')) return home
  throw new CpnError('CPN_ERR_USAGE', '--home has to be an absolute path')
}

/** `agent.mjs link --home DIR --release DIGEST`: links what is there already; the answer as JSON on stdout. */
export async function linkCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { home: { type: 'string' }, release: { type: 'string' } } })
  const answer = await linkRelease(requireHome(values.home), sha256Schema.parse(values.release), new Set())
  process.stdout.write(`${JSON.stringify({ received: 0, ...answer } satisfies ReceiveAnswer)}\n`)
}
