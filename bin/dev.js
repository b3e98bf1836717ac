#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { continueInPinnedRuntime, endWithStarter, isOldRuntime, quietPipes } from './runtime.js'

// Runs the commands of src as they are: the runtime strips their types.
if (isOldRuntime()) {
  continueInPinnedRuntime(import.meta.url)
} else {
  endWithStarter()
  quietPipes()
  const { execute, settings } = await import('@oclif/core')
  settings.enableAutoTranspile = false
  const root = fileURLToPath(new URL('..', import.meta.url))
  const pjson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  pjson.oclif.commands = { strategy: 'pattern', target: './src/commands', globPatterns: ['**/*.ts', '!**/base*.ts'] }
  pjson.oclif.hooks.command_not_found.target = './src/commands/base-unknown.ts'
  pjson.oclif.helpClass.target = './src/commands/base-unknown.ts'
  await execute({ loadOptions: { root, pjson, ignoreManifest: true } })
}
