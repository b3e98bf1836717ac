// Photographs of 24 megapixels over links of 100 Mbit/s and 1 Gbit/s: how busy links and nodes are.
import { rmSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LinkedHosts, startLinkedHosts } from '../../test/helpers/linked-hosts.ts'
import { type Project, project } from '../../test/helpers/project.ts'
import { readSummary } from '../../test/helpers/run-output.ts'
import type { Traffic } from '../../test/helpers/veth-link.ts'
import { largePhotos } from '../large-photos.ts'
import { groupPhotos } from '../pictures.ts'
import { type ProcessorTime, processorTime, shares } from '../processor-time.ts'
import type { Report, Row } from '../report.ts'

const rounds = Number(process.env.CPN_BENCH_ROUNDS ?? 3)
const photographs = Number(process.env.CPN_BENCH_PHOTOS ?? 96)
const speeds = (process.env.CPN_BENCH_MBIT ?? '100,1000').split(',').map(Number)
const sampleMs = 500
const detector = ['--detector', 'ultraface-320']

interface Sample extends Traffic, ProcessorTime {
  ms: number
}

interface LinkRun {
  imagesPerSecond: number
  /** The rest is of the steady part: while the middle 60 % of the bytes passed. */
  megabytesTo: number
  megabytesFrom: number
  /** Parts of what is there: of the links in the busier direction, of the processor, of it for the workers. */
  link: number
  processor: number
  workers: number
}

export async function measure(): Promise<Report> {
  await using fleet = await startLinkedHosts(2)
  await using home = project(fleet.hosts)
  await home.ok(['models', 'pull', 'ultraface-320', '--yes'])
  await home.ok(['provision', '--yes'], { timeoutMs: 300_000 })
  const few = groupPhotos(join(home.folder, 'few'), 1)
  const photos = await largePhotos(join(home.folder, 'photos'), photographs)
  await home.ok(['predict', '--pipeline', 'faces', few.folder, ...detector, '--json'])
  const runs = speeds.map((speed) => ({ speed, values: [] as LinkRun[] }))
  for (let round = 0; round < rounds; round++) {
    for (const { speed, values } of runs) {
      for (const link of fleet.links) link.limit(speed)
      values.push(await oneRun(home, fleet, photos.folder, speed))
    }
  }
  const megabytes = Math.round(photos.bytes / 1e6)
  return {
    title: `predict: ${photos.count} photographs of 24 megapixels, ${megabytes} MB, 2 SSH hosts behind links of their own`,
    rows: runs.flatMap(({ speed, values }) => rowsOf(speed, values)),
    ratios: [],
    notes: [
      'All but images per second is of the steady part of each run, while the middle 60 % of its bytes passed. The goal ' +
        'is that the links or the nodes are busy for at least 90 %.',
      `Master and hosts share ${cpus().length} cores: where the processor is the limit, it is to be busy as a whole. A ` +
        'link is busy by the bytes with their packet headers that its limit let through.',
    ],
  }
}

function rowsOf(speed: number, runs: LinkRun[]): Row[] {
  const link = speed >= 1000 ? `${speed / 1000} Gbit/s` : `${speed} Mbit/s`
  const row = (what: string, unit: string, value: (run: LinkRun) => number): Row => ({
    what: `${link}: ${what}`,
    unit,
    values: runs.map(value),
  })
  return [
    row('cpn predict, as its summary says', 'images/s', (run) => run.imagesPerSecond),
    row('to the hosts', 'MB/s', (run) => run.megabytesTo),
    row('from the hosts', 'MB/s', (run) => run.megabytesFrom),
    row('links busy', '%', (run) => run.link * 100),
    row('processor busy, all of it', '%', (run) => run.processor * 100),
    row("processor busy with the agents' workers", '%', (run) => run.workers * 100),
  ]
}

async function oneRun(home: Project, fleet: LinkedHosts, folder: string, speed: number): Promise<LinkRun> {
  const out = join(home.folder, 'out')
  const cpn = home.spawn(['predict', '--pipeline', 'faces', folder, ...detector, '--out', out, '--json'])
  let running = true
  const ended = cpn.exited.finally(() => {
    running = false
  })
  const samples: Sample[] = []
  while (running) {
    samples.push(sample(fleet))
    await Promise.race([sleep(sampleMs), ended])
  }
  const { exitCode } = await ended
  const summary = readSummary(out)
  rmSync(out, { recursive: true })
  if (exitCode !== 0 || summary.done !== photographs) throw new Error(`not all was done: ${cpn.describe()}`)
  return { imagesPerSecond: summary.imagesPerSecond, ...steadyPart(samples, speed * fleet.links.length) }
}

function sample({ links, hosts }: LinkedHosts): Sample {
  const traffic = links.map((link) => link.traffic())
  const sum = (direction: keyof Traffic) => traffic.reduce((total, each) => total + each[direction], 0)
  return { ms: performance.now(), to: sum('to'), from: sum('from'), ...processorTime(hosts) }
}

/** @param megabits of all links together */
function steadyPart(samples: Sample[], megabits: number): Omit<LinkRun, 'imagesPerSecond'> {
  const [first, last] = [samples[0]!, samples.at(-1)!]
  const bytes = ({ to, from }: Traffic) => to + from - first.to - first.from
  const steady = samples.filter((each) => bytes(each) >= bytes(last) * 0.2 && bytes(each) <= bytes(last) * 0.8)
  const [begin, end] = [steady[0], steady.at(-1)]
  if (!begin || !end || begin === end) throw new Error('the run was too short: set CPN_BENCH_PHOTOS to more')
  const ms = end.ms - begin.ms
  const [to, from] = [(end.to - begin.to) / ms / 1000, (end.from - begin.from) / ms / 1000]
  const { busy, workers } = shares(begin, end, ms)
  return { megabytesTo: to, megabytesFrom: from, link: (Math.max(to, from) * 8) / megabits, processor: busy, workers }
}
