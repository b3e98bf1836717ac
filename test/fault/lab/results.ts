import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileTree } from '../../helpers/file-tree.ts'
import { type Prediction, readPredictions, readSummary } from '../../helpers/run-output.ts'

/** What a run has left in OUT, in a form that compares. */
export interface Results {
  /** Lines of predictions.jsonl by path. */
  lines: Map<string, Prediction>
  /** sha256 of every picture by path. */
  pictures: Map<string, string>
}

/** Reads OUT; its summary has to add up, and nothing may lie there that is no result. */
export function readResults(out: string): Results {
  readSummary(out)
  const files = fileTree(out).filter(({ type }) => type !== 'folder')
  return {
    lines: new Map(readPredictions(out).map((line) => [line.path, line])),
    pictures: new Map(
      files
        .filter(({ path }) => !['predictions.jsonl', 'summary.json', 'index.html'].includes(path))
        .map(({ path, digest }) => [path, digest]),
    ),
  }
}

/** How two runs over the same files differ; nobody is lost, nobody comes twice, everybody is the same when it is empty. */
export interface Difference {
  lost: string[]
  added: string[]
  different: string[]
}

/** @param except paths that are looked at by the caller */
export function compare(expected: Results, found: Results, except: readonly string[] = []): Difference {
  const left = (path: string) => !except.includes(path)
  const paths = new Set([...expected.lines.keys(), ...expected.pictures.keys()].filter(left))
  const foundPaths = [...found.lines.keys(), ...found.pictures.keys()].filter(left)
  const same = (path: string) =>
    expected.pictures.get(path) === found.pictures.get(path) &&
    JSON.stringify(expected.lines.get(path)) === JSON.stringify(found.lines.get(path))
  const isLost = (path: string) => !found.lines.has(path) || found.pictures.has(path) !== expected.pictures.has(path)
  const lost = [...paths].filter(isLost)
  return {
    lost,
    added: [...new Set(foundPaths)].filter((path) => !paths.has(path)),
    different: [...paths].filter((path) => !isLost(path) && !same(path)),
  }
}

export function assertSame(expected: Results, found: Results, except: readonly string[] = []): void {
  assert.deepEqual(compare(expected, found, except), { lost: [], added: [], different: [] })
}

/** Reads OUT and removes it. */
export function takeResults(folder: string, out: string): Results {
  const results = readResults(join(folder, out))
  rmSync(join(folder, out), { recursive: true })
  return results
}
