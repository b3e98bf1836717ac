import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onExit } from '../test/helpers/exit-cleanup.ts'
import { repositoryRoot } from '../test/helpers/shared.ts'

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
  const leftOut = ['node_modules', '.git', 'dist'].map((name) => `--exclude=./${name}`)
  const tree = execFileSync('tar', ['-cf', '-', ...leftOut, '.'], { cwd: repositoryRoot, maxBuffer: 2 ** 30 })
  execFileSync('tar', ['-xf', '-'], { cwd: folder, input: tree })
  symlinkSync(join(repositoryRoot, 'node_modules'), join(folder, 'node_modules'))
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  return {
    program: join(folder, 'bin', 'run.js'),
    [Symbol.dispose]: () => {
      forget()
      remove()
    },
  }
}
