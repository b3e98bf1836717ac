import { Args, Flags } from '@oclif/core'
import { findInventory } from '../../actions/find-inventory.ts'
import { describePlanError } from '../../actions/plan/plan-error.ts'
import { type InputHistory, type RunReport, showRun } from '../../actions/predict/runs.ts'
import type { AttemptRecord } from '../../runs/history.ts'
import type { AttemptPurpose } from '../../scheduler/scheduler.ts'
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

function* runLines({ run, nodes, plan }: RunReport): Iterable<string> {
  const { inputs, done, failed, quarantined, pending } = run
  yield `run ${run.run}: ${run.state}`
  if (run.owner) yield `  by process ${run.owner.pid} on ${run.owner.host}, since ${run.owner.since}`
  yield `  created ${run.createdAt}, begun ${times(run.epoch)}, last ${run.startedAt}, ended ${run.endedAt ?? 'not yet'}`
  yield `  of ${run.paths.join(', ')} to ${run.out}`
  yield `  ${inputs} inputs: ${done} done, ${failed} failed, ${quarantined} quarantined, ${pending} pending`
  if (plan) yield `  ${describePlanError(plan)}`
  for (const { node, done, overruled, failed } of nodes) {
    const wrong = overruled > 0 ? `, ${overruled} of them overruled by other nodes` : ''
    yield `  ${node}: ${done} done${wrong}, ${failed} attempts failed`
  }
}

const times = (count: number) => (count === 1 ? 'once' : `${count} times`)

function* inputLines(input: InputHistory): Iterable<string> {
  yield `${input.path}: ${input.state}${input.epoch === null ? '' : `, the ${ordinal(input.epoch)} time the run worked`}`
  yield `  file     ${input.source}, ${formatBytes(input.bytes)}, modified ${input.modified}`
  if (input.sha256) yield `  sha256   ${input.sha256}`
  for (const attempt of input.attempts) yield `  attempt  ${attemptLine(attempt)}`
  if (input.written) yield `  written  ${input.written.file}, ${formatBytes(input.written.bytes)}`
  if (input.error) yield `  reason   ${input.error.message} (${input.error.code})`
}

const purposes: Record<AttemptPurpose, string> = {
  work: '',
  retry: ', again',
  alone: ', alone',
  hedge: ', a copy of a slow one',
  audit: ', a second opinion',
}

const outcomes: Record<NonNullable<AttemptRecord['outcome']>, string> = {
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled because it was not needed any more,',
  overruled: 'done and overruled by other nodes,',
}

function attemptLine({ epoch, attempt, node, purpose, started, ended, outcome, error }: AttemptRecord): string {
  const took = started && ended ? ` after ${formatDuration(Date.parse(ended) - Date.parse(started))}` : ''
  const end = outcome === null ? 'no end was noted' : `${outcomes[outcome]}${took}${error ? `: ${error}` : ''}`
  return `${epoch}.${attempt} on ${node}${purpose ? purposes[purpose] : ''}, ${started ?? 'at an unknown time'}: ${end}`
}

function ordinal(count: number): string {
  return `${count}${{ 1: 'st', 2: 'nd', 3: 'rd' }[/1.$/.test(`${count}`) ? 0 : count % 10] ?? 'th'}`
}
