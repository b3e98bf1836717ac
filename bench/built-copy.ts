import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onExit } from '../test/helpers/exit-cleanup.ts'
import { copyTreeInto } from '../test/helpers/tree-copy.ts'

export interface BuiltCopy extends Disposable {
  /** bin/run.js of the build. */
  program: string
}

/** Builds this tree as it is now in a temporary folder. A program that was built before is taken as it is. */
export function builtCopy(program?: string): BuiltCopy {
  if (program !== undefined) return { program, [Symbol.dispose]: () => {} }
  const folder = mkdtempSync(join(tmpdir(), 'cpn-bench-build-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  const forget = onExit(remove)
  copyTreeInto(folder)
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  return {
    program: join(folder, 'bin', 'run.js'),
    [Symbol.dispose]: () => {
      forget()
      remove()
    },
  }
}
