import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { repositoryRoot } from '../helpers/shared.ts'

const page = readFileSync(join(repositoryRoot, 'docs/security.md'), 'utf8')
const holds = /^## What holds$([\s\S]*?)^## /m.exec(page)?.[1] ?? ''
const lines = holds.split(/^(?=- |#)/m).filter((part) => part.startsWith('- '))
const link = /\[([^\]]+)\]\(\.\.\/(test\/[^)]+\.test\.ts)\)/g

test('every line that holds names a test', () => {
  assert.ok(lines.length > 25)
  assert.deepEqual(
    lines.filter((line) => [...line.matchAll(link)].length === 0),
    [],
  )
})

test('every test that is named is there', () => {
  const missing = [...holds.matchAll(link)].filter(([, name, file]) => !testsOf(file!).includes(name!))
  assert.deepEqual(
    missing.map(([text]) => text),
    [],
  )
})

/** Names of tests as a person reads them; … stands for what a loop puts in. */
function testsOf(file: string): string[] {
  const path = join(repositoryRoot, file)
  if (!existsSync(path)) return []
  const names = /\btest\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g
  return [...readFileSync(path, 'utf8').matchAll(names)].map(([, single, double, template]) =>
    (single ?? double ?? template ?? '').replace(/\$\{[^}]*\}/g, '…').replace(/\\(.)/g, '$1'),
  )
}
