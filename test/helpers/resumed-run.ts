import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { drawMany } from './drawn-job.ts'
import { ledgerInputs } from './ledger-file.ts'
import type { Project } from './project.ts'
import { outputFiles } from './run-output.ts'

/** Pictures, two that are equal, one below another folder, and one that is none. */
export async function drawMixed(folder: string, count: number): Promise<void> {
  await drawMany(folder, count)
  mkdirSync(join(folder, 'deep', 'er'), { recursive: true })
  cpSync(join(folder, '0001.jpg'), join(folder, 'deep', 'er', 'equal.jpg'))
  writeFileSync(join(folder, 'broken.jpg'), 'no picture')
}

/** sha256 of each file in OUT by its path, predictions.jsonl among them; summary.json tells of time and is left out. */
export function outputDigests(out: string): Map<string, string> {
  const paths = [...outputFiles(out), 'predictions.jsonl']
  return new Map(
    paths.map((path) => [
      path,
      createHash('sha256')
        .update(readFileSync(join(out, path)))
        .digest('hex'),
    ]),
  )
}

/**
 * What has to hold at every instant: whatever has a name in OUT is whole, and what the ledger calls done is there.
 * @param wanted the outputs of a run that nothing disturbed
 */
export function assertWhole(home: Project, out: string, wanted: Map<string, string>): void {
  const files = outputFiles(out).filter((path) => !/(^|\/)\.cpn-[^/]*\.tmp$/.test(path))
  for (const path of files) {
    const digest = createHash('sha256')
      .update(readFileSync(join(out, path)))
      .digest('hex')
    assert.equal(digest, wanted.get(path), `${path} is not what it should be`)
  }
  for (const { name, state } of ledgerInputs(home)) {
    if (state === 'done') assert.ok(files.includes(name), `${name} is done but not written`)
  }
}
