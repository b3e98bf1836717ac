import { Flags } from '@oclif/core'
import { findInventory } from '../actions/find-inventory.ts'
import { type Plan, type PlanEvent, plan } from '../actions/plan/plan.ts'
import { describeUnread } from '../actions/predict/tell-notices.ts'
import { exitCodes } from '../common/error-codes.ts'
import type { Estimate, Interval } from '../planning/estimate.ts'
import type { NodePlan } from '../planning/node-plan.ts'
import { formatBytes, formatDuration, formatRate, printable } from '../ui/format.ts'
import { renderTable } from '../ui/table.ts'
import { printLine } from '../ui/terminal.ts'
import { BaseCommand } from './base.ts'
import Predict, { pipelineOptions } from './predict.ts'

/** How results are written is no part of what is measured. */
const { format: _f, sidecars: _s, 'sidecar-names': _n, 'write-metadata': _w, ...predictFlags } = Predict.flags

export default class PlanCommand extends BaseCommand {
  static override summary = 'Say beforehand what a run would take, and what it would wait for.'

  static override description =
    'Finds the images as predict does, has every node work on a sample of them for a few seconds, alone and then all at ' +
    'once, and predicts time, bytes over each link, disk and what is the bottleneck. Nothing is written to OUT. The ' +
    'next predict of the same says at its end how wrong the plan was. Ends with 7 where the disk has too little room.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> ./photos',
    '<%= config.bin %> <%= command.id %> ./photos --hosts tag:lab --annotate none --json',
  ]

  static override strict = false

  static override args = Predict.args

  static override flags = {
    ...predictFlags,
    sample: Flags.integer({ min: 1, max: 4096, default: 64, helpValue: 'N', description: 'Images to try at most.' }),
  }

  async run(): Promise<Plan> {
    const { flags, argv } = await this.parse(PlanCommand)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const options = {
      inventory,
      paths: argv as string[],
      out: flags.out,
      hosts: flags.hosts ?? [],
      ...pipelineOptions(flags),
      sample: flags.sample,
    }
    const planned = await plan(options, ctx, (event) => printLine(printable(describeEvent(event))))
    for (const line of planLines(planned)) this.log(line)
    if (planned.disk?.fits === false) this.exitWith(exitCodes.partial)
    return planned
  }
}

function describeEvent(event: PlanEvent): string {
  if (event.type === 'found') return `${count(event.images)} images found${event.complete ? '' : ' so far'}`
  if (event.type === 'sampled') return `${event.images} of them are tried`
  if (event.type === 'solo') return `${event.node}: one image after another`
  if (event.type === 'alone') return `${event.node}: as many as it takes`
  if (event.type === 'together') return `all ${event.nodes.length} nodes at once`
  return `${event.node} gave no result and does not count${event.error ? `: ${event.error.message}` : ''}`
}

function* planLines({ inputs, estimate, disk, unusable, out }: Plan): Iterable<string> {
  yield* inputLines(inputs)
  for (const { name, reason } of unusable) yield printable(`without ${name}: ${reason}`)
  if (!estimate) return
  const { tried, unreadable, bottleneck } = estimate
  const damaged = unreadable > 0 ? `, ${unreadable} of them cannot be read` : ''
  yield `${tried} images tried${damaged}; of equal files only one will be computed, which nobody can know yet`
  yield ''
  yield nodeTable(estimate.nodes)
  yield ''
  yield* totalLines(estimate)
  if (disk) {
    const { needed, free, state, fits } = disk
    yield `disk        up to ${formatBytes(needed)} in OUT, ${formatBytes(free)} free; ledger ${formatBytes(state.needed)}, ${formatBytes(state.free)} free`
    if (!fits)
      yield printable(`            that does not fit: free space for ${out}, choose another --out, or --annotate none`)
  }
  yield printable(`bottleneck  ${bottleneck.text}`)
  yield printable(`            → ${bottleneck.help}`)
}

function* inputLines({ images, bytes, left, formats, ignored, unread }: Plan['inputs']): Iterable<string> {
  const kinds = Object.entries(formats)
    .toSorted(([, a], [, b]) => b.images - a.images)
    .map(([format, each]) => `${count(each.images)} ${format || 'without an extension'}`)
  yield printable(`${count(images)} images, ${formatBytes(bytes)}: ${kinds.join(', ')}`)
  if (ignored > 0) yield `${count(ignored)} other files are left alone`
  const kindsUnread = new Map(Object.entries(unread))
  if (kindsUnread.size > 0) yield printable(describeUnread(kindsUnread, true))
  if (left.images < images)
    yield `${count(images - left.images)} were finished by an earlier run; ${count(left.images)} are left, ${formatBytes(left.bytes)}`
}

function nodeTable(nodes: readonly NodePlan[]): string {
  const numbers = ['WORKERS', 'ALONE/S', 'TOGETHER/S', 'SHARE', 'WORKERS BUSY', 'LINK BUSY', 'LINK', 'UP', 'DOWN']
  const columns = [
    { header: 'NODE' },
    ...numbers.map((header) => ({ header, align: 'right' as const })),
    { header: 'MS PER IMAGE' },
  ]
  const rows = nodes.map((node) => [
    node.name,
    `${node.workers}`,
    formatRate(node.alone),
    formatRate(node.together),
    percent(node.share),
    percent(node.workersBusy),
    percent(node.linkBusy),
    `${formatBytes(node.linkBytesPerSecond)}/s`,
    formatBytes(node.upBytes),
    formatBytes(node.downBytes),
    steps(node.timings),
  ])
  return renderTable(columns, rows)
}

/** 'detect 61, decode 22, encode 9': what took most first. */
function steps(timings: Record<string, number>): string {
  return Object.entries(timings)
    .toSorted(([, a], [, b]) => b - a)
    .filter(([, milliseconds]) => milliseconds >= 0.5)
    .map(([step, milliseconds]) => `${step.replace(/Ms$/, '')} ${Math.round(milliseconds)}`)
    .join(', ')
}

function* totalLines(estimate: Estimate): Iterable<string> {
  const { seconds, startSeconds, imagesPerSecond, upBytes, downBytes, copyBytes, masterMemoryBytes } = estimate
  const { masterCpuMs, masterBusy, readBytesPerSecond } = estimate
  yield `time        ${within(seconds, (value) => formatDuration(1000 * value))}, ${formatRate(imagesPerSecond)} images/s (connecting took ${formatDuration(1000 * startSeconds)})`
  yield `bytes       ${formatBytes(upBytes.expected)} up, ${within(downBytes, formatBytes)} down, ${within(copyBytes, formatBytes)} of copies`
  yield `this host   ${masterCpuMs.toFixed(1)} ms of processors per image, main thread ${percent(masterBusy)} busy, ${formatBytes(masterMemoryBytes)} of memory; the inputs’ disk reads ${formatBytes(readBytesPerSecond)}/s`
}

function within({ expected, low, high }: Interval, format: (value: number) => string): string {
  const [from, to] = [format(low), format(high)]
  return from === to ? format(expected) : `${format(expected)} (${from} to ${to})`
}

const percent = (share: number) => `${Math.round(100 * share)} %`

const count = (value: number) => value.toLocaleString('en')
