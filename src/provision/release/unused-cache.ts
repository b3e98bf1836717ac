import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DigestCache } from './digest-cache.ts'
import { pinnedPackages } from './pinned-packages.ts'

export interface UnusedFile {
  /** Absolute; a file or a folder. */
  path: string
  bytes: number
}

const shortLivedMs = 86_400_000

/**
 * What this version of cpn does not use of its cache: packed files whose originals are not here any more, packages of
 * other versions, what an interrupted fetch left, and compiled code that is old or another Node.js's.
 * @param before milliseconds since 1970: compiled code from before is old
 */
export async function unusedInCache(cacheDir: string, before: number): Promise<UnusedFile[]> {
  const found = await Promise.all([
    unusedPacked(join(cacheDir, 'releases')),
    unusedPackages(join(cacheDir, 'packages')),
    unusedCode(join(cacheDir, 'compiled'), before),
  ])
  return found.flat()
}

async function unusedPacked(dir: string): Promise<UnusedFile[]> {
  const present = await (await DigestCache.open(join(dir, 'digests.json'))).present()
  const packed = join(dir, 'packed')
  const names = (await namesOf(packed)).filter((name) => !present.has(name.slice(0, 64)) || name.split('.').length > 2)
  const files = await Promise.all(names.map((name) => sized(join(packed, name))))
  // Somebody may be packing it just now.
  return files.filter(({ modified }) => modified < Date.now() - shortLivedMs)
}

async function unusedPackages(dir: string): Promise<UnusedFile[]> {
  const pinned = new Set(
    Object.entries(pinnedPackages).map(([name, { version }]) => `${name.replace('/', '+')}-${version}`),
  )
  const folders = await Promise.all(
    (await namesOf(dir)).filter((name) => !pinned.has(name)).map((name) => sized(join(dir, name))),
  )
  return folders.filter(({ path, modified }) => !path.includes('.fetch-') || modified < Date.now() - shortLivedMs)
}

async function unusedCode(dir: string, before: number): Promise<UnusedFile[]> {
  const ours = `${process.version}-${process.arch}-`
  const folders = await namesOf(dir)
  const others = await Promise.all(
    folders.filter((name) => !name.startsWith(ours)).map((name) => sized(join(dir, name))),
  )
  const code = folders
    .filter((name) => name.startsWith(ours))
    .map(async (name) => Promise.all((await namesOf(join(dir, name))).map((file) => sized(join(dir, name, file)))))
  return [...others, ...(await Promise.all(code)).flat().filter(({ modified }) => modified < before)]
}

/** Bytes of all files below, and the newest modification time. */
export async function sized(path: string): Promise<UnusedFile & { modified: number }> {
  const found = await stat(path).catch(() => undefined)
  if (!found) return { path, bytes: 0, modified: 0 }
  if (!found.isDirectory()) return { path, bytes: found.size, modified: found.mtimeMs }
  const files = await Promise.all((await namesOf(path)).map((name) => sized(join(path, name))))
  return {
    path,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    modified: Math.max(found.mtimeMs, ...files.map(({ modified }) => modified)),
  }
}

const namesOf = (dir: string) => readdir(dir).catch(() => [] as string[])
