import { spawn } from 'node:child_process'
import { mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CpnError, reasonOf, systemErrorCode } from '../common/errors.ts'
import { quote } from '../transport/shell.ts'
import { drawPhotos, drawPortraits, names, photoCount, portraitsOf } from './cast.ts'
import { type DemoHosts, makeHosts } from './hosts.ts'
import { type Score, scoreOf } from './score.ts'
import { makeStage, otherFolder, type Stage } from './stage.ts'

export interface DemoOptions {
  /** Absolute folder of the results. */
  out: string
  /** Leaves hosts and fleet running. */
  keep: boolean
  /** Command line of cpn itself. */
  program: readonly string[]
  /** Descriptor that gets what the commands say on stdout; 1, or 2 where stdout is for something else. */
  stdout: 1 | 2
}

export interface DemoResult {
  transport: DemoHosts['transport']
  out: string
  score: Score
  seconds: number
  /** Where the fleet is that was left. */
  kept?: { folder: string; inventory: string }
}

/** In a folder of results: a demo has made them, so that another may put its own in their place. */
const mark = '.cpn-demo'
/** How long an interrupted command may take to end. */
const patienceMs = 10_000

/**
 * Shows cpn at work: three hosts, and the real commands one after another on photos that it draws, without a network and without
 * anything of this user's. What it leaves is OUT alone. Rejects with CPN_ERR_DEMO when a command fails or there is
 * no room, CPN_ERR_USAGE when OUT is something else, CPN_ERR_INTERRUPTED.
 * @param say a line for the person
 */
export async function runDemo(
  options: DemoOptions,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<DemoResult> {
  const { out, keep, program } = options
  const started = performance.now()
  await assertFree(out)
  const stage = await makeStage(program)
  let kept = false
  try {
    const hosts = await makeHosts(stage.folder)
    signal.throwIfAborted()
    say(`three hosts: ${hosts.told}`)
    const score = await play(options, stage, hosts, signal, say)
    kept = keep
    const seconds = Math.round((performance.now() - started) / 100) / 10
    const inventory = join(stage.fleet, 'inventory.yaml')
    return {
      transport: hosts.transport,
      out,
      score,
      seconds,
      ...(keep ? { kept: { folder: stage.folder, inventory } } : {}),
    }
  } finally {
    if (kept) stage.keep()
    else await stage.end()
  }
}

async function play(
  options: DemoOptions,
  stage: Stage,
  { adds }: DemoHosts,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Score> {
  const { out, keep } = options
  const cpn = (args: string[]) => command(args, options, stage, signal, say)
  const [people, photos] = [join(stage.fleet, 'people'), join(stage.fleet, 'photos')]
  say(`${photoCount} photos of people who do not exist are drawn meanwhile`)
  // Whatever ends the commands ends the drawing.
  await using drawing = new Drawing(signal)
  const portraits = drawing.add(drawPortraits(people, drawing.signal))
  const truth = drawing.add(portraits.then(() => drawPhotos(photos, drawing.signal)))
  for (const args of adds) await cpn(args)
  await cpn(['models', 'pull', 'persons-lite'])
  await cpn(['provision', '--yes'])
  await portraits
  for (const name of names) {
    // Drawn people are more alike than real ones, and each would be taken for another's double.
    await cpn(['people', 'add', name, `people/${portraitsOf(name)}`, '--pipeline', 'persons-lite', '--force'])
  }
  const known = await truth
  await markResults(out)
  await cpn(['predict', 'photos', '--pipeline', 'persons-lite', '--out', out]).finally(() => removeEmpty(out))
  await cpn(['status'])
  const score = await scoreOf(out, known)
  if (keep) return score
  await cpn(['stop', 'all'])
  await cpn(['unprovision', 'all', '--yes'])
  return score
}

/** Work that goes on beside the commands; it ends with its owner, and what fails is told by whoever awaits it. */
class Drawing {
  readonly #end = new AbortController()
  readonly #works: Promise<unknown>[] = []
  readonly signal: AbortSignal

  constructor(signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#end.signal])
  }

  add<T>(work: Promise<T>): Promise<T> {
    this.#works.push(work.catch(() => {}))
    return work
  }

  /** What was drawn may go afterwards. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort()
    await Promise.all(this.#works)
  }
}

/** Runs cpn as anybody would, after saying so. What it says goes where this process speaks. */
async function command(
  args: string[],
  { program, stdout }: DemoOptions,
  { fleet, env }: Stage,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<void> {
  signal.throwIfAborted()
  const line = ['cpn', ...args].map(quote).join(' ')
  say('')
  say(`$ ${line}`)
  const [file = '', ...before] = program
  const child = spawn(file, [...before, ...args], { cwd: fleet, env, stdio: ['ignore', stdout, 'inherit', 'ipc'] })
  let killing: NodeJS.Timeout | undefined
  const interrupt = () => {
    child.kill('SIGINT')
    killing = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  }
  signal.addEventListener('abort', interrupt, { once: true })
  const { promise, resolve, reject } = Promise.withResolvers<string | number>()
  child.once('error', reject)
  child.once('exit', (code, ended) => resolve(code ?? ended ?? ''))
  const end = await promise.finally(() => signal.removeEventListener('abort', interrupt))
  clearTimeout(killing)
  signal.throwIfAborted()
  if (end === 0) return
  throw new CpnError('CPN_ERR_DEMO', `the demo ended because this command did, with ${end}: ${line}`, {
    suggestions: [
      'What it said is above. Run the demo again with CPN_DEBUG=1 to see more.',
      `If it is the disk of ${dirname(fleet)}: ${otherFolder}`,
    ],
  })
}

/** Results of an earlier demo are replaced; what is anything else is nobody's to write into. */
async function assertFree(out: string): Promise<void> {
  const found = await readdir(out).catch((error: unknown): string[] => {
    if (systemErrorCode(error) === 'ENOENT') return []
    throw notOurs(`${out} is no folder for results: ${reasonOf(error)}`, error)
  })
  if (found.length > 0 && !found.includes(mark)) throw notOurs(`${out} is there already, and not of a demo`)
}

function notOurs(message: string, cause?: unknown): CpnError {
  return new CpnError('CPN_ERR_USAGE', message, { cause, suggestions: ['Name another folder: cpn demo --out DIR'] })
}

/** Comes first: a run that is killed leaves pictures. What cannot be written to is told by the command that has to. */
async function markResults(out: string): Promise<void> {
  await mkdir(out, { recursive: true }).catch(() => {})
  await writeFile(join(out, mark), '').catch(() => {})
}

async function removeEmpty(out: string): Promise<void> {
  const found = await readdir(out).catch(() => [])
  if (found.join() !== mark) return
  await rm(join(out, mark), { force: true }).catch(() => {})
  await rmdir(out).catch(() => {})
}
