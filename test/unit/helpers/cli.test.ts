import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { spawnCpn } from '../../helpers/cli.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

test('waiting for one line of very many leaves no listeners behind', async () => {
  using folder = tempFolder()
  const program = join(folder.path, 'counts.mjs')
  // Line by line: each is a piece of its own for whoever waits.
  writeFileSync(
    program,
    `import { setTimeout } from 'node:timers/promises'
    for (let line = 1; line <= 30; line++) {
      console.log('line', line)
      await setTimeout(5)
    }`,
  )
  const warnings: string[] = []
  const onWarning = ({ name }: Error) => void warnings.push(name)
  process.on('warning', onWarning)
  const run = spawnCpn([], { program })
  await run.waitFor(/^line 30$/m, 'stdout')
  await assert.rejects(run.waitFor(/^line 31$/m, 'stdout'), /no .* in stdout/)
  await setImmediate()
  process.off('warning', onWarning)
  assert.deepEqual(warnings, [])
})
