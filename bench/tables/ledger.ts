// What the ledger costs a run, and how soon a run that was killed works again.
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CpnProcess, cpnProgram } from '../../test/helpers/cli.ts'
import { type Project, project } from '../../test/helpers/project.ts'
import { countWritten, type RunSummary, readSummary } from '../../test/helpers/run-output.ts'
import { startHosts } from '../../test/helpers/sshd.ts'
import { groupPhotos, type Pictures } from '../pictures.ts'
import { type Report, ratio } from '../report.ts'

const rounds = Number(process.env.CPN_BENCH_ROUNDS ?? 5)
const copies = Number(process.env.CPN_BENCH_COPIES ?? 20)
const detector = 'ultraface-320'

export async function measure(): Promise<Report> {
  await using hosts = await startHosts({}, {})
  await using home = project(hosts)
  await home.ok(['models', 'pull', detector, '--yes'])
  await home.ok(['provision', '--yes'], { timeoutMs: 300_000 })
  const photos = groupPhotos(join(home.folder, 'photos'), copies)
  using forgetful = withoutResults(cpnProgram)
  const whole: number[] = []
  const without: number[] = []
  const resumed: number[] = []
  for (let round = 0; round < rounds; round++) {
    whole.push(await imagesPerSecond(home, photos, cpnProgram, photos.count))
    without.push(await imagesPerSecond(home, photos, forgetful.program, 0))
    resumed.push(await resumeMs(home, photos))
  }
  return {
    title: `the ledger in runs of ${photos.count} photographs, 2 SSH hosts on this machine`,
    rows: [
      { what: 'predict, as its summary says', unit: 'images/s', values: whole },
      { what: 'predict that commits no result', unit: 'images/s', values: without },
      { what: 'resume after SIGKILL: start of the process to the next file', unit: 'ms', values: resumed },
    ],
    ratios: [ratio('with the ledger / without', whole, without, '≥ 0.95')],
    notes: [
      'Without: the same program, except that its thread leaves out jobs, inputs and attempts of what it commits.',
    ],
  }
}

/** @param done how many the summary has to call done */
async function imagesPerSecond(home: Project, { folder, count }: Pictures, program: string, done: number) {
  const out = join(home.folder, 'out')
  const { stdout } = await home.cpn(
    ['predict', '--pipeline', 'faces', folder, '--detector', detector, '--out', out, '--json'],
    {
      program,
      timeoutMs: 600_000,
    },
  )
  const summary = JSON.parse(stdout) as RunSummary
  if (summary.done !== done || countWritten(out) !== count) throw new Error(`not all was done: ${stdout}`)
  forget(home, out)
  return count / summary.seconds
}

async function resumeMs(home: Project, { folder, count }: Pictures): Promise<number> {
  const out = join(home.folder, 'out')
  const run = () => home.spawn(['predict', '--pipeline', 'faces', folder, '--detector', detector, '--out', out])
  await (await untilWritten(run(), out, count / 2)).kill()
  const before = countWritten(out)
  const started = performance.now()
  const second = await untilWritten(run(), out, before)
  const milliseconds = performance.now() - started
  await second.ended
  const summary = readSummary(out)
  if (summary.skipped === 0 || summary.done + summary.skipped !== count) throw new Error(JSON.stringify(summary))
  forget(home, out)
  return milliseconds
}

async function untilWritten(process: CpnProcess, out: string, files: number) {
  let ended = false
  const end = process.exited.finally(() => {
    ended = true
  })
  while (!ended && countWritten(out) <= files) await sleep(5)
  const kill = async () => {
    process.kill('SIGKILL')
    await end
  }
  return { kill, ended: end }
}

function forget(home: Project, out: string): void {
  rmSync(out, { recursive: true, force: true })
  for (const file of ['ledger.db', 'ledger.db-wal', 'ledger.db-shm']) {
    rmSync(join(home.folder, '.cpn', file), { force: true })
  }
}

/** A copy of a build that notes which inputs there are, but not what came of them. */
function withoutResults(program: string): Disposable & { program: string } {
  const built = dirname(dirname(program))
  const folder = `${built}-forgetful`
  cpSync(built, folder, { recursive: true, verbatimSymlinks: true })
  const thread = join(folder, 'dist', 'runs', 'run-thread.js')
  const text = readFileSync(thread, 'utf8')
  const less = text.replace('order.changes)', 'order.changes.filter(({ kind }) => kind === "found"))')
  if (less === text) throw new Error(`${thread} is not what this table takes it for`)
  writeFileSync(thread, less)
  return {
    program: join(folder, 'bin', 'run.js'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
