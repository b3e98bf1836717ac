import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { version } from '../../src/common/version.ts'
import { repositoryRoot } from '../helpers/shared.ts'

const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'))

test('the program and its package have one version', () => {
  assert.equal(version, manifest.version)
})

test('the changelog knows the version', () => {
  assert.match(readFileSync(join(repositoryRoot, 'CHANGELOG.md'), 'utf8'), new RegExp(`^## \\[${version}\\]`, 'm'))
})

test('every dependency is pinned to one version, the runtimes to the same', () => {
  const { dependencies, devDependencies, optionalDependencies } = manifest
  const loose = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(
    ([, range]) => !/^\d+\.\d+\.\d+$/.test(String(range)),
  )
  assert.deepEqual(loose, [])
  assert.equal(new Set(Object.values(optionalDependencies)).size, 1)
})

test('no dependency runs a script at installation', () => {
  const lock = JSON.parse(readFileSync(join(repositoryRoot, 'package-lock.json'), 'utf8'))
  const scripted = Object.entries<{ hasInstallScript?: boolean }>(lock.packages)
    .filter(([path, entry]) => path && entry.hasInstallScript)
    .map(([path]) => path.replace(/^.*node_modules\//, ''))
  assert.deepEqual(
    scripted.filter((name) => manifest.allowScripts[name] !== false),
    [],
  )
})
