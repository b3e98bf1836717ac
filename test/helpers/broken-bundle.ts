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

/** Stands for a bug in a decoder: the worker of this program that gets a picture with `marker` in it dies at once. */
export function withDeadlyBug(program: string, marker: string): string {
  const bug = `if (image.includes(${JSON.stringify(marker)})) process.exit(1)`
  const handle = `async function handle(job, image) { ${bug}; await handleWell(job, image) }`
  const bad = program.replace('async function handle(', `${handle}\nasync function handleWell(`)
  assert.notEqual(bad, program)
  return bad
}
