import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { packageRoot } from '../../common/package-root.ts'
import { copyName } from '../copy-name.ts'
import type { JobRecord } from '../job-record.ts'
import type { FinishedLine, Results } from './results.ts'
import { toldFaces } from './told-face.ts'
import { writeTextDurably } from './write-text.ts'

/** Inputs that a page lists: a browser takes as many with a small picture each. */
export const listedAtMost = 10_000
/** Small pictures are read by the browser as they come into sight, so many at once. */
const thumbnailsPerChunk = 100
const imagesPerChunk = 1000

/**
 * OUT/index.html: one page with the photos, who or what is on them and what failed. It needs nothing but itself, asks nobody
 * for anything, and runs no script but its own, whatever files and people are called. Of more inputs than it lists it has
 * the first ones and the numbers of all.
 */
export async function writePage(results: Results): Promise<void> {
  const parts = await readParts()
  await writeTextDurably(join(results.out, 'index.html'), page(results, parts))
}

interface PageParts {
  template: string
  style: string
  script: string
}

async function readParts(): Promise<PageParts> {
  const read = (name: string) => readFile(join(packageRoot, 'assets/page', name), 'utf8')
  const [template, style, script] = await Promise.all(['template.html', 'page.css', 'page.js'].map(read))
  return { template: template!, style: style!, script: script! }
}

function* page(results: Results, { template, style, script }: PageParts): Iterable<string> {
  const values: Record<string, string> = {
    title: escapeHtml(basename(results.out)),
    policy: escapeHtml(
      `default-src 'none'; img-src data: 'self'; style-src ${digest(style)}; script-src ${digest(script)}; base-uri 'none'; form-action 'none'`,
    ),
    style,
    script,
  }
  const [before, after] = template.split('{{data}}') as [string, string]
  const fill = (text: string) => text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name]!)
  yield fill(before)
  yield* data(results)
  yield fill(after)
}

function* data(results: Results): Iterable<string> {
  const { counts, images } = read(results)
  const { kind, models, copies } = results
  yield script('id="run"', JSON.stringify({ ...counts, kind, models, thumbnailsPerChunk, copies }))
  yield* chunks('images', imagesPerChunk, images)
  yield* chunks('thumbnails', thumbnailsPerChunk, thumbnails(results))
}

function* thumbnails(results: Results): Iterable<string> {
  let count = 0
  for (const line of results.lines({ thumbnails: true })) {
    if (count++ === listedAtMost) return
    yield JSON.stringify(thumbnail(line))
  }
}

/** The numbers of all inputs, and the first ones as JSON. */
function read(results: Results): { counts: object; images: string[] } {
  const names = new Set<string>()
  const images: string[] = []
  const counts = { images: 0, failed: 0, found: 0 }
  for (const line of results.lines()) {
    if (images.length < listedAtMost) images.push(JSON.stringify(entry(line)))
    const { state, result } = line
    if (state !== 'done' || !result) {
      counts.failed++
      continue
    }
    counts.images++
    const found = foundIn(result)
    counts.found += found.length
    for (const [name] of result.labels ? found.slice(0, 1) : found) if (name !== null) names.add(name)
  }
  return { counts: { ...counts, names: names.size }, images }
}

/**
 * [path, width, height, [Found, …], path of the copy, error code, error message]; what comes last may be missing.
 */
function entry({ name, state, result, error }: FinishedLine): unknown[] {
  if (state !== 'done' || !result) return [name, 0, 0, [], null, error?.code ?? '', error?.message ?? '']
  const copy = copyName(name)
  return [name, result.width, result.height, foundIn(result), ...(copy === name ? [] : [copy])]
}

/** Name or label, null for somebody unknown; x, y, width, height; similarity or score. */
type Found = [string | null, number, number, number, number, number | null]

/** Faces or objects, or the labels of a picture, which are about all of it. */
function foundIn(result: JobRecord): Found[] {
  const { width, height, objects, labels } = result
  const found = (name: string | null, box: readonly number[], sure: number | null) =>
    [name, ...box.map(Math.round), sure] as Found
  if (objects) return objects.map(({ label, box, score }) => found(label, box, score))
  if (labels) return labels.map(({ label, score }) => found(label, [0, 0, width, height], score))
  return toldFaces(result).map(({ person, box, similarity }) => found(person, box, similarity))
}

function thumbnail({ result }: FinishedLine): string | null {
  const bytes = result?.thumbnail
  return bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64') : null
}

/** Elements with lists of `size` items each, all but the last. */
function* chunks(name: string, size: number, items: Iterable<string>): Iterable<string> {
  let chunk: string[] = []
  for (const item of items) {
    chunk.push(item)
    if (chunk.length < size) continue
    yield script(`class="${name}"`, `[${chunk.join(',')}]`)
    chunk = []
  }
  if (chunk.length > 0) yield script(`class="${name}"`, `[${chunk.join(',')}]`)
}

/** Within a script element only a `<` could end it or open a comment. */
const script = (attributes: string, json: string) =>
  `<script type="application/json" ${attributes}>${json.replaceAll('<', '\\u003c')}</script>\n`

const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => entities[character]!)
