import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'

/** Makes the worker of a copied bundle one that starts and is ready, but dies of its first job. */
export function breakInference(worker: string): void {
  const good = readFileSync(worker, 'utf8')
  const bad = good.replace(
    'async function handle(',
    'async function handle() { process.exit(1) }\nasync function handleNoMore(',
  )
  assert.notEqual(bad, good)
  writeFileSync(worker, bad)
}
