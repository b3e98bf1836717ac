import { Args, Flags } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { pushModels } from '../../actions/models/push-models.ts'
import type { GoldenReport, PushEvent, PushedNode, PushReport } from '../../actions/models/push-report.ts'
import { exitCodes } from '../../common/error-codes.ts'
import type { Difference } from '../../rollout/compare.ts'
import { renderError } from '../../ui/error.ts'
import { formatBytes, printable } from '../../ui/format.ts'
import { printLine } from '../../ui/terminal.ts'
import { BaseCommand } from '../base.ts'

export default class ModelsPush extends BaseCommand {
  static override summary = 'Bring a version of a pipeline to the nodes and into use.'

  static override description =
    'The first nodes that answer are the canaries: they get what they lack, load it beside what is in use, and look at ' +
    'golden pictures with both. When all of them agree and no more faces than --max-lost are gone, the other nodes follow ' +
    'in batches and are compared with the canary; one that fails goes back alone. Then the version is in use: runs that ' +
    'begin from now on take it, those that go on end with what they began with. Again it changes nothing.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> persons@2 --canary 2 --yes',
    '<%= config.bin %> <%= command.id %> persons --golden ./golden --json',
    '<%= config.bin %> <%= command.id %> persons@2 --hosts node3   # what failed there is tried again',
  ]

  static override args = {
    version: Args.string({
      required: true,
      description: 'name@version, or faces, persons or persons-lite for the newest.',
    }),
  }

  static override flags = {
    canary: Flags.integer({ min: 1, default: 1, helpValue: 'N', description: 'Nodes that try it first.' }),
    hosts: Flags.string({
      helpValue: 'PATTERN',
      multiple: true,
      description: 'Nodes to bring it to now; default all.',
    }),
    batch: Flags.integer({ min: 1, default: 4, helpValue: 'N', description: 'Nodes at once after the canaries.' }),
    'max-fail': Flags.integer({
      min: 1,
      helpValue: 'N',
      description: 'Give it up once N nodes have failed; default half of them, at least 2.',
    }),
    golden: Flags.string({ helpValue: 'DIR', description: 'Pictures to compare with; cpn draws some without it.' }),
    'max-lost': Flags.integer({
      min: 0,
      max: 100,
      default: 10,
      helpValue: 'PERCENT',
      description: 'Faces of the golden pictures that may be lost against the version in use.',
    }),
  }

  async run(): Promise<PushReport> {
    const { args, flags } = await this.parse(ModelsPush)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const { canary: canaries, hosts = [], batch, golden } = flags
    const options = {
      inventory,
      hosts,
      version: args.version,
      canaries,
      batch,
      maxFail: flags['max-fail'],
      maxLost: flags['max-lost'] / 100,
      golden,
    }
    const report = await pushModels(options, ctx, (event) => printLine(printable(told(event))))
    if (report.error) printLine(renderError(report.error))
    else if (report.embedderChanged && report.active !== report.from) printLine(embedderChanged(report.from))
    this.log(summary(report))
    if (report.error) this.exitWith(report.error.exitCode)
    else if (report.nodes.some(({ state }) => state === 'failed')) this.exitWith(exitCodes.provision)
    return report
  }
}

function told(event: PushEvent): string {
  if (event.type === 'begin')
    return `pushing ${event.version} to ${counted(event.hosts, 'node')}; in use: ${event.from}`
  if (event.type === 'sending') return `${event.host}: sending ${event.models.join(', ')} (${formatBytes(event.bytes)})`
  if (event.type === 'looking') return `${event.host}: looking at ${counted(event.pictures, 'golden picture')}`
  if (event.type === 'golden') return toldGolden(event.report)
  return toldNode(event.node)
}

function toldGolden({ pictures, before, truth }: GoldenReport): string {
  const parts = [
    before && `against the version in use: ${toldDifference(before, 'found again')}`,
    truth && `against what is known of them: ${toldDifference(truth, 'found')}`,
  ].filter(Boolean)
  return `${counted(pictures, 'golden picture')}; ${parts.length > 0 ? parts.join('; ') : 'nothing to compare them with'}`
}

function toldDifference({ before, after, same, iou }: Difference, found: string): string {
  const overlap = iou === null ? '' : `, mean IoU ${iou.toFixed(3)}`
  return `${same} of ${counted(before, 'face')} ${found}, ${after - same} more${overlap}`
}

function toldNode({ name, canary, state, error, left }: PushedNode): string {
  const why = error ? `: ${error.message} (${error.code})` : ''
  const rest = left.length > 0 ? `; still there: ${left.join(', ')}` : ''
  return `${name}: ${state}${canary ? ', canary' : ''}${why}${rest}`
}

function summary({ version, from, active, nodes }: PushReport): string {
  const counts = Map.groupBy(nodes, ({ state }) => state)
  const told = [...counts].map(([state, some]) => {
    const names = state === 'failed' || state === 'skipped' ? ` (${some.map(({ name }) => name).join(', ')})` : ''
    return `${some.length} ${state}${names}`
  })
  const use = active === version ? `${version} is in use` : `${version} was given up, ${active} is in use`
  return [active === version && from !== version ? `${use}, before: ${from}` : use, ...told].join(' · ')
}

/** A gallery belongs to the embedder that it was made with. */
export function embedderChanged(from: string): string {
  return [
    `The embedder is another one than that of ${from}: people enrolled with the one before are not recognised with it.`,
    '  → Enrol them again with `cpn people add`, or go back: cpn models rollback',
  ].join('\n')
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
