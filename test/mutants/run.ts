// npm run test:mutants [PATTERN]: plants one bug after the other into a copy of this tree and runs the test that has to
// tell; without the bug the same test has to pass.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { onExit } from '../helpers/exit-cleanup.ts'
import { killAll, listProcesses } from '../helpers/processes.ts'
import { shared } from '../helpers/shared.ts'
import { copyTreeInto } from '../helpers/tree-copy.ts'
import { type Mutant, mutants } from './mutants.ts'

const testMs = 60_000
const [pattern = ''] = process.argv.slice(2)
const wanted = mutants.filter(({ bug, file }) => new RegExp(pattern).test(`${bug} ${file}`))

interface Verdict {
  mutant: Mutant
  /** Undefined: the test tells. */
  complaint?: string
}

const waiting = [...wanted]
const verdicts: Verdict[] = []
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work))
const bad = verdicts.filter(({ complaint }) => complaint)
for (const { mutant, complaint } of bad) console.log(`✖ ${mutant.bug} (${mutant.file}): ${complaint}`)
console.log(`${verdicts.length} planted bugs: ${verdicts.length - bad.length} told by their tests, ${bad.length} not`)
process.exitCode = bad.length === 0 && verdicts.length > 0 ? 0 : 1

/** One lane with a copy of its own. */
async function work(): Promise<void> {
  using copy = copyTree()
  for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
    const complaint = await judge(copy.folder, mutant)
    verdicts.push({ mutant, ...(complaint ? { complaint } : {}) })
    if (!complaint) console.log(`✔ ${mutant.bug}`)
  }
}

async function judge(folder: string, { file, replace, by, test }: Mutant): Promise<string | undefined> {
  const path = join(folder, file)
  const source = readFileSync(path, 'utf8')
  if (source.split(replace).length !== 2)
    return `its text stands there ${source.split(replace).length - 1} times, not once`
  const before = await outcome(folder, test)
  if (before !== 'passed') return `without the bug the test ${before}`
  writeFileSync(
    path,
    source.replace(replace, () => by),
  )
  try {
    const after = await outcome(folder, test)
    return after === 'failed' ? undefined : `with the bug the test ${after}`
  } finally {
    writeFileSync(path, source)
  }
}

/** What becomes of one test, by its name; a file that does not even load is no failure of it. */
async function outcome(folder: string, { file, name, built }: Mutant['test']): Promise<string> {
  if (built)
    execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  const exact = `^${name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`
  const options = [`--test-name-pattern=${exact}`, '--test-reporter=tap', `--test-timeout=${testMs / 2}`]
  const temporary = openFolder(join(folder, 't'))
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, ['--test', ...options, file], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...env, TMPDIR: temporary, CPN_TEST_DATA: shared() },
    detached: true,
  })
  const text = await output(child)
  // What was started apart from the test does not end with it.
  killAll(() => listProcesses().filter(({ command }) => command.includes(temporary)))
  rmSync(temporary, { recursive: true, force: true })
  const line = new RegExp(`^\\s*(not )?ok \\d+ - ${exact.slice(1, -1)}(.*)$`, 'm').exec(text)
  if (!line)
    return /^\s*not ok/m.test(text)
      ? 'does not run: its file does not load'
      : 'does not run: there is none of this name'
  if (/# SKIP/.test(line[2] ?? '')) return 'is left out here'
  return line[1] ? 'failed' : 'passed'
}

/** All a test prints; one that hangs is ended with all that it has started. */
async function output(child: ChildProcess): Promise<string> {
  const end = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
  const forget = onExit(end)
  const timer = setTimeout(end, testMs)
  let text = ''
  child.stdout!.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  await once(child, 'close')
  clearTimeout(timer)
  end()
  forget()
  return text
}

/** What git knows of this tree, as it lies there, with its libraries by a link. */
function copyTree(): Disposable & { folder: string } {
  const folder = openFolder(join(tmpdir(), 'cpn-m-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  const forget = onExit(remove)
  copyTreeInto(folder)
  return {
    folder,
    [Symbol.dispose]: () => {
      forget()
      remove()
    },
  }
}

/** Test hosts log in as other users: readable for all. */
function openFolder(prefix: string): string {
  const folder = mkdtempSync(prefix)
  chmodSync(folder, 0o755)
  return folder
}
