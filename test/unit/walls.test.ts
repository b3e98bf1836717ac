import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join, posix, relative, sep } from 'node:path'
import { test } from 'node:test'
import { repositoryRoot } from '../helpers/shared.ts'

interface Source {
  /** Path below src, with slashes. */
  path: string
  text: string
  /** What it imports, types included: paths below src for our own files, package names and node: modules for others. */
  imports: string[]
}

const sources = readSources()

test('protocol and common know nothing above them', () => {
  onlyImports('protocol/', ['protocol/', 'common/', 'zod', 'node:'])
  onlyImports('common/', ['common/', 'pino', 'node:'])
})

test('matching knows numbers and names, whichever side uses it', () => {
  onlyImports('matching/', ['matching/', 'protocol/', 'common/', 'zod', 'node:'])
})

test('drawing knows pictures only', () => {
  onlyImports('drawing/', ['drawing/', 'common/', 'sharp'])
})

test('the agent is a world of its own', () => {
  const packages = ['zod', 'pino', 'sharp', 'onnxruntime-node', '@julusian/jpeg-turbo', 'libheif-js', 'libraw-wasm']
  onlyImports('agent/', ['agent/', 'matching/', 'protocol/', 'common/', 'node:', ...packages])
  assert.deepEqual(
    importers('agent/').filter((path) => !path.startsWith('agent/')),
    [],
  )
})

test('each heavy dependency has one importer', () => {
  onlyImportedIn('ssh2', ['transport/ssh/'])
  onlyImportedIn('ssh2-sftp-client', ['transport/ssh/'])
  onlyImportedIn('listr2', ['ui/'])
  onlyImportedIn('yaml', ['inventory/'])
  onlyImportedIn('@oclif/core', ['commands/', 'main.ts'])
  onlyImportedIn('node:sqlite', ['runs/'])
  onlyImportedIn('pino', ['common/'])
  const runtimes = importers('onnxruntime-node')
  assert.ok(runtimes.length <= 1, `one file may import onnxruntime-node, not ${runtimes.join(' and ')}`)
  onlyImportedIn('onnxruntime-node', ['agent/'])
  onlyImportedIn('sharp', ['agent/', 'drawing/'])
  onlyImportedIn('libheif-js', ['agent/vision/libheif.ts'])
  onlyImportedIn('libraw-wasm', ['agent/vision/libraw.ts'])
})

test('the scheduler sees agents, never how they are reached', () => {
  neverImports('scheduler/', ['transport/', 'fleet/', 'provision/', 'ssh2', 'undici'])
})

test('actions know no flags and no screen', () => {
  neverImports('actions/', ['ui/', 'commands/'])
})

test('nothing but a command is built on commands', () => {
  onlyImportedIn('commands/', ['commands/'])
  onlyImportedIn('ui/', ['ui/', 'commands/'])
})

test('only ui and commands print', () => {
  assert.deepEqual(usersOf(/\bconsole\.\w+\(|\bprocess\.(?:stdout|stderr)\.\w+/, ['ui/', 'commands/', 'agent/']), [])
})

test('only commands and the programs of the agent end the process', () => {
  assert.deepEqual(usersOf(/\bprocess\.exit\(/, ['commands/', 'agent/']), [])
})

function onlyImports(folder: string, allowed: string[]): void {
  const wrong = inFolders([folder]).flatMap(({ path, imports }) =>
    imports.filter((name) => !matches(name, allowed)).map((name) => `${path} imports ${name}`),
  )
  assert.deepEqual(wrong, [])
}

function neverImports(folder: string, forbidden: string[]): void {
  const wrong = inFolders([folder]).flatMap(({ path, imports }) =>
    imports.filter((name) => matches(name, forbidden)).map((name) => `${path} imports ${name}`),
  )
  assert.deepEqual(wrong, [])
}

function onlyImportedIn(name: string, folders: string[]): void {
  const wrong = importers(name).filter((path) => !folders.some((folder) => path.startsWith(folder)))
  assert.deepEqual(wrong, [], `${name} may be imported in ${folders.join(', ')} only`)
}

function importers(name: string): string[] {
  return sources.filter(({ imports }) => imports.some((found) => matches(found, [name]))).map(({ path }) => path)
}

function usersOf(pattern: RegExp, exceptIn: string[]): string[] {
  const inside = new Set(inFolders(exceptIn))
  return sources.filter((source) => !inside.has(source) && pattern.test(source.text)).map(({ path }) => path)
}

function inFolders(folders: string[]): Source[] {
  return sources.filter(({ path }) => folders.some((folder) => path.startsWith(folder)))
}

// A folder or a scheme ends with a separator and matches what begins with it; a package matches with its subpaths.
function matches(name: string, allowed: string[]): boolean {
  return allowed.some((entry) =>
    /[/:]$/.test(entry) ? name.startsWith(entry) : name === entry || name.startsWith(`${entry}/`),
  )
}

function readSources(): Source[] {
  const folder = join(repositoryRoot, 'src')
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const file = join(entry.parentPath, entry.name)
      const path = relative(folder, file).replaceAll(sep, '/')
      const text = withoutComments(readFileSync(file, 'utf8'))
      return { path, text, imports: findImports(path, text) }
    })
}

// Statements (`import … from`, `export … from`, `import '…'`), import() of code and of types, require and its resolve.
function findImports(path: string, text: string): string[] {
  const patterns = [
    /^\s*(?:import|export)\s[^'"`;=()]*?\bfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\b(?:import|require|require\.resolve)\(\s*['"`]([^'"`]+)['"`]/g,
  ]
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)]).map(([, name]) => resolveImport(path, name!))
}

function resolveImport(path: string, name: string): string {
  if (name.startsWith('.')) return posix.join(posix.dirname(path), name)
  return builtinModules.includes(name) ? `node:${name}` : name
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}
