import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { errorCodes, exitCodes } from '../../src/common/error-codes.ts'
import { repositoryRoot } from '../helpers/shared.ts'

const page = readFileSync(join(repositoryRoot, 'docs', 'errors.md'), 'utf8')

test('docs/errors.md explains every code, under the exit code it leads to', () => {
  const inCode = Object.entries(errorCodes).map(([code, exit]) => `${code} ${exitCodes[exit]}`)
  assert.deepEqual(documentedCodes().sort(), inCode.sort())
})

test('docs/errors.md lists every exit code', () => {
  const listed = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code))
  assert.deepEqual(
    listed,
    Object.values(exitCodes).sort((a, b) => a - b),
  )
})

test('every explanation says something', () => {
  const empty = page
    .split(/^(?=### )/m)
    .slice(1)
    .filter((section) => section.split('\n').slice(1).join(' ').trim().length < 40)
  assert.deepEqual(empty, [])
})

test('every code is used', () => {
  const files = ['src', 'bin'].flatMap((folder) =>
    readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.[jt]s$/.test(file) && !file.endsWith('error-codes.ts'))
      .map((file) => readFileSync(join(repositoryRoot, folder, file), 'utf8')),
  )
  const text = files.join('\n')
  assert.deepEqual(
    Object.keys(errorCodes).filter((code) => !new RegExp(`\\b${code}\\b`).test(text)),
    [],
  )
})

function documentedCodes(): string[] {
  return page.split(/^(?=## )/m).flatMap((part) => {
    const exit = /^## Exit code (\d+)/.exec(part)?.[1]
    return [...part.matchAll(/^### (CPN_ERR_\w+)$/gm)].map(([, code]) => `${code} ${exit}`)
  })
}
