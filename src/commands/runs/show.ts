import { Args, Flags } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { type InputHistory, type RunReport, showRun } from '../../actions/runs.ts'
import { formatBytes, formatDuration, printable } from '../../ui/format.ts'
import { BaseCommand } from '../base.ts'

export default class RunsShow extends BaseCommand {
  static override summary = 'Show what happened in a run.'

  static override description =
    'Without a flag: the run, and what each node did. --failed tells of every input that failed or was quarantined, ' +
    '--input of everything that happened to one: attempts with node, times and errors, the outcome, the file written. ' +
    'Works while the run goes on.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> last',
    '<%= config.bin %> <%= command.id %> last --failed --json',
    '<%= config.bin %> <%= command.id %> 20261128-114039-0a1b2c --input photos/one.jpg',
  ]

  static override args = {
    run: Args.string({ required: true, description: 'Id of the run, or last.' }),
  }

  static override flags = {
    failed: Flags.boolean({ description: 'Inputs that failed or were quarantined.' }),
    input: Flags.string({ helpValue: 'PATH', description: 'One input, by its path in OUT or that of its file.' }),
  }

  async run(): Promise<RunReport> {
    const { args, flags } = await this.parse(RunsShow)
    const inventory = await findInventory(flags.inventory, this.context())
    const report = showRun(inventory, { run: args.run, failed: flags.failed, input: flags.input })
    for (const line of runLines(report)) this.log(printable(line))
    for (const input of report.inputs) this.log(['', ...inputLines(input)].map(printable).join('\n'))
    return report
  }
}

function* runLines({ run, nodes }: RunReport): Iterable<string> {
  const { inputs, done, failed, quarantined, pending } = run
  yield `run ${run.run}: ${run.state}`
  if (run.owner) yield `  by process ${run.owner.pid} on ${run.owner.host}, since ${run.owner.since}`
  yield `  created ${run.createdAt}, begun ${times(run.epoch)}, last ${run.startedAt}, ended ${run.endedAt ?? 'not yet'}`
  yield `  of ${run.paths.join(', ')} to ${run.out}`
  yield `  ${inputs} inputs: ${done} done, ${failed} failed, ${quarantined} quarantined, ${pending} pending`
  for (const { node, done, failed } of nodes) yield `  ${node}: ${done} done, ${failed} attempts failed`
}

const times = (count: number) => (count === 1 ? 'once' : `${count} times`)

function* inputLines(input: InputHistory): Iterable<string> {
  yield `${input.path}: ${input.state}${input.epoch === null ? '' : `, the ${ordinal(input.epoch)} time the run worked`}`
  yield `  file     ${input.source}, ${formatBytes(input.bytes)}, modified ${input.modified}`
  if (input.sha256) yield `  sha256   ${input.sha256}`
  for (const { epoch, attempt, node, started, ended, outcome, error } of input.attempts) {
    const took = started && ended ? ` after ${formatDuration(Date.parse(ended) - Date.parse(started))}` : ''
    const end = outcome === null ? 'no end was noted' : `${outcome}${took}${error ? `: ${error}` : ''}`
    yield `  attempt  ${epoch}.${attempt} on ${node}, ${started ?? 'at an unknown time'}: ${end}`
  }
  if (input.written) yield `  written  ${input.written.file}, ${formatBytes(input.written.bytes)}`
  if (input.error) yield `  reason   ${input.error.message} (${input.error.code})`
}

function ordinal(count: number): string {
  return `${count}${{ 1: 'st', 2: 'nd', 3: 'rd' }[/1.$/.test(`${count}`) ? 0 : count % 10] ?? 'th'}`
}
