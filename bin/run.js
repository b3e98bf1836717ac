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
  keepCompiledCode()
  const { execute, settings } = await import('@oclif/core')
  keepYoungSpaceSmall()
  // dist is what runs, whatever NODE_ENV says.
  settings.enableAutoTranspile = false
  await execute({ dir: import.meta.url })
}
