import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { posixCommand, quote, quotePath } from '../../../src/transport/shell.ts'

const nasty = [
  'plain',
  '',
  "it's",
  'a b',
  '$HOME',
  '`id`',
  '!x',
  '"',
  '\\',
  '\n',
  '%d',
  'é€',
  '~',
  '#',
  '*',
  ';&|<>(){}[]',
]

test('quoted arguments arrive as they were', () => {
  for (const argument of nasty) {
    const script = `printf '%s' ${quote(argument)}`
    assert.equal(execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }), argument)
  }
})

test('a leading ~/ is the remote home and nothing else of a path is read', () => {
  const run = (path: string): string =>
    execFileSync('/bin/sh', ['-c', `printf '%s' ${quotePath(path)}`], { encoding: 'utf8', env: { HOME: '/home/x' } })
  assert.equal(run('~'), '/home/x')
  assert.equal(run('~/a b/$c'), '/home/x/a b/$c')
  assert.equal(run('/~/x'), '/~/x')
})

for (const shell of ['/bin/sh', '/bin/bash', '/bin/zsh', '/bin/csh', '/bin/tcsh', '/usr/bin/fish']) {
  test(`${shell} runs a script of any characters`, { skip: existsSync(shell) ? false : `needs ${shell}` }, () => {
    const script = nasty.map((argument) => `printf '%s|' ${quote(argument)}`).join('\n')
    const home = { HOME: '/nowhere', PATH: process.env.PATH! }
    const output = execFileSync(shell, ['-c', posixCommand(script)], { encoding: 'utf8', env: home })
    assert.equal(output, nasty.map((argument) => `${argument}|`).join(''))
  })
}
