// The master's resident memory while many jobs pass through it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CpnProcess } from '../../test/helpers/cli.ts'
import { project } from '../../test/helpers/project.ts'
import { readSummary } from '../../test/helpers/run-output.ts'
import { startHosts } from '../../test/helpers/sshd.ts'
import type { Report } from '../report.ts'
import { tinyPhotos } from '../tiny-photos.ts'

const jobs = Number(process.env.CPN_BENCH_JOBS ?? 100_000)
const sampleMs = 1000
// The cheapest to run of those there are, on pictures as flat as these.
const detector = 'yunet-s-dynamic'

interface Sample {
  done: number
  megabytes: number
}

export async function measure(): Promise<Report> {
  await using hosts = await startHosts({}, {})
  await using home = project(hosts)
  await home.ok(['models', 'pull', detector, '--yes'])
  await home.ok(['provision', '--yes'], { timeoutMs: 300_000 })
  const photos = await tinyPhotos(join(home.folder, 'photos'), jobs)
  const out = join(home.folder, 'out')
  const cpn = home.spawn([
    'predict',
    '--pipeline',
    'faces',
    photos.folder,
    '--detector',
    detector,
    '--out',
    out,
    '--json',
  ])
  const { samples, peak } = await watch(cpn)
  const { exitCode } = await cpn.exited
  const summary = readSummary(out)
  if (exitCode !== 0 || summary.done !== jobs) throw new Error(`not all was done: ${cpn.describe()}`)
  const at = (part: number) => samples.find(({ done }) => done >= jobs * part)?.megabytes ?? Number.NaN
  const row = (what: string, unit: string, value: number) => ({ what, unit, values: [value] })
  const steady = samples.filter(({ done }) => done >= jobs * 0.2)
  return {
    title: `the master's memory during ${jobs} jobs, ${Math.round(photos.bytes / 1e6)} MB, 2 SSH hosts on this machine`,
    rows: [
      row('resident when the first image is done', 'MB', at(0)),
      row('at 10 % of the jobs', 'MB', at(0.1)),
      row('at 50 %', 'MB', at(0.5)),
      row('at the end', 'MB', samples.at(-1)!.megabytes),
      row('median from 20 % on', 'MB', median(steady.map(({ megabytes }) => megabytes))),
      row('most at any time (floor ≤ 250, goal ≤ 150)', 'MB', peak),
      row('growth from 20 % on, per 100,000 jobs', 'MB', slope(steady) * 100_000),
      row('cpn predict, as its summary says', 'images/s', summary.imagesPerSecond),
    ],
    ratios: [],
    notes: [`${summary.done} lines in predictions.jsonl; resident memory was looked at every second.`],
  }
}

/** Samples of a run from its first finished image to its end, and the most it ever had. */
async function watch(cpn: CpnProcess): Promise<{ samples: Sample[]; peak: number }> {
  const samples: Sample[] = []
  let peak = 0
  let running = true
  const ended = cpn.exited.finally(() => {
    running = false
  })
  while (running) {
    const status = statusOf(cpn.pid)
    const done = doneBy(cpn.stderr)
    if (status && done !== undefined) samples.push({ done, megabytes: megabytes(status, 'VmRSS') })
    if (status) peak = Math.max(peak, megabytes(status, 'VmHWM'))
    await Promise.race([sleep(sampleMs), ended])
  }
  return { samples, peak }
}

/** What the last line of progress says; it comes every five seconds. */
function doneBy(stderr: string): number | undefined {
  const [, done] = /.*^([\d,]+) of [\d,]+ images/ms.exec(stderr) ?? []
  return done === undefined ? undefined : Number(done.replaceAll(',', ''))
}

function statusOf(pid: number): string | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return status.includes('VmRSS') ? status : undefined
  } catch {
    return undefined
  }
}

function megabytes(status: string, field: 'VmRSS' | 'VmHWM'): number {
  return (Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1024) / 1e6
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** Megabytes per job: the line with the least squares. */
function slope(samples: Sample[]): number {
  const mean = (of: (sample: Sample) => number) => samples.reduce((sum, each) => sum + of(each), 0) / samples.length
  const [done, size] = [mean((each) => each.done), mean((each) => each.megabytes)]
  const together = mean((each) => (each.done - done) * (each.megabytes - size))
  return together / mean((each) => (each.done - done) ** 2)
}
