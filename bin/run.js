#!/usr/bin/env node
import {
  continueInPinnedRuntime,
  endWithStarter,
  isOldRuntime,
  keepCompiledCode,
  keepYoungSpaceSmall,
  quietPipes,
} from './runtime.js'

if (isOldRuntime()) {
  continueInPinnedRuntime(import.meta.url)
} else {
  endWithStarter()
  quietPipes()
  // A demo leaves nothing behind.
  if (process.argv[2] !== 'demo') keepCompiledCode()
  // oclif would load semver to compare what was compared above.
  process.env.OCLIF_DISABLE_ENGINE_WARNING = '1'
  const { execute, settings } = await import('../dist/main.js')
  keepYoungSpaceSmall()
  // dist is what runs, whatever NODE_ENV says.
  settings.enableAutoTranspile = false
  await execute({ dir: import.meta.url })
}
