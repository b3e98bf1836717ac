import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { copyName } from '../../src/runs/copy-name.ts'
import type { Box } from './ground-truth.ts'

// Its cache keeps the files of past pictures open.
sharp.cache(false)

export interface Prediction {
  path: string
  sha256: string | null
  width?: number
  height?: number
  /** name@version of each model. */
  models?: string[]
  faces?: { box: Box; score: number; keypoints: [number, number][]; person: string | null; similarity: number | null }[]
  objects?: { box: Box; score: number; label: string }[]
  labels?: { label: string; score: number }[]
  error?: { code: string; message: string }
}

export interface RunSummary {
  run: string
  inputs: number
  done: number
  failed: number
  quarantined: number
  skipped: number
  pending: number
  ignored: number
  seconds: number
  imagesPerSecond: number
  unwritten?: number
  instead?: { pipeline: string; because: string }
}

/** The lines of OUT/predictions.jsonl, which has to be whole: each line parses, no path comes twice. */
export function readPredictions(out: string): Prediction[] {
  const text = readFileSync(join(out, 'predictions.jsonl'), 'utf8')
  assert.ok(text === '' || text.endsWith('\n'), 'predictions.jsonl ends in the middle of a line')
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Prediction)
  assert.equal(new Set(lines.map(({ path }) => path)).size, lines.length, 'a path comes twice in predictions.jsonl')
  return lines
}

/** OUT/summary.json, whose parts have to add up and to agree with predictions.jsonl. */
export function readSummary(out: string): RunSummary {
  const summary = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as RunSummary
  const { inputs, done, failed, quarantined, skipped, pending } = summary
  assert.equal(inputs, done + failed + quarantined + skipped + pending, JSON.stringify(summary))
  const lines = readPredictions(out)
  const told = lines.filter(({ faces, objects, labels }) => faces ?? objects ?? labels)
  assert.equal(told.length, done + skipped, 'lines with results')
  assert.equal(lines.filter(({ error }) => error).length, failed + quarantined, 'lines with an error')
  return summary
}

/** Paths of all files in OUT besides those that describe the run, and the folders of people, which are cpn's own. */
export function outputFiles(out: string): string[] {
  const files = readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(out.length + 1))
  const marked = files.find((path) => path.endsWith('.cpn-people.json'))
  const people = marked === undefined ? undefined : `${dirname(marked)}/`
  return files
    .filter((path) => !['predictions.jsonl', 'summary.json', 'index.html'].includes(path))
    .filter((path) => people === undefined || !path.startsWith(people))
    .sort()
}

/** Files written so far by a run that goes on; 0 before it has begun. */
export function countWritten(out: string): number {
  return existsSync(out) ? outputFiles(out).length : 0
}

/**
 * Every done line has its annotated copy: it decodes, has its size and format, and shows something the input has not.
 * @param each of so many copies one is decoded, where all are alike; that they are there is seen of all
 */
export async function checkAnnotated(
  out: string,
  predictions: Prediction[],
  input: (path: string) => string,
  each = 1,
): Promise<void> {
  const done = predictions.filter(({ faces }) => faces)
  assert.deepEqual(outputFiles(out), done.map(({ path }) => copyName(path)).sort())
  const looked = done.filter((_, index) => index % each === 0)
  for (const prediction of looked)
    await checkOne(join(out, copyName(prediction.path)), input(prediction.path), prediction)
}

async function checkOne(annotated: string, input: string, { path, width, height, faces }: Prediction): Promise<void> {
  assert.ok(existsSync(annotated), `${path} has no annotated copy`)
  const before = await sharp(input)
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const shrink = Math.min(1, 2048 / Math.max(width!, height!))
  const after = sharp(annotated)
  const { format, width: newWidth, height: newHeight } = await after.metadata()
  assert.equal(format, (await sharp(input).metadata()).format, `${path} has another format`)
  assert.deepEqual([before.info.width, before.info.height], [width, height], `${path}: size in predictions.jsonl`)
  assert.deepEqual([newWidth, newHeight], [Math.round(width! * shrink), Math.round(height! * shrink)], `${path}: size`)
  assert.notDeepEqual(readFileSync(annotated), readFileSync(input), `${path} is its input`)
  const pixels = await after.toColourspace('srgb').removeAlpha().raw().toBuffer()
  if (shrink === 1 && faces!.length > 0) assert.ok(isDrawnOn(before.data, pixels), `nothing is drawn on ${path}`)
}

/** Encoding again moves values by a little; a box moves many of them by a lot. */
function isDrawnOn(before: Buffer, after: Buffer): boolean {
  let changed = 0
  for (let index = 0; index < before.length; index++) {
    if (Math.abs(before[index]! - after[index]!) > 60 && ++changed > 100) return true
  }
  return false
}
