import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from './shared.ts'

/** Copies this tree as it lies there into an existing folder: without dist, with its libraries by a link. */
export function copyTreeInto(folder: string): void {
  const leftOut = ['node_modules', '.git', 'dist'].map((name) => `--exclude=./${name}`)
  const tree = execFileSync('tar', ['-cf', '-', ...leftOut, '.'], { cwd: repositoryRoot, maxBuffer: 2 ** 30 })
  execFileSync('tar', ['-xf', '-'], { cwd: folder, input: tree })
  symlinkSync(join(repositoryRoot, 'node_modules'), join(folder, 'node_modules'))
}
