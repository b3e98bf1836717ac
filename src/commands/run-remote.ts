import { fstatSync } from 'node:fs'
import { Args, Flags } from '@oclif/core'
import { findInventory } from '../actions/find-inventory.ts'
import { hasFailed, type RemoteResult, runRemote } from '../actions/run-remote/run-remote.ts'
import { exitCodes } from '../common/error-codes.ts'
import { CpnError } from '../common/errors.ts'
import { renderError } from '../ui/error.ts'
import { outputLine, renderFold } from '../ui/fold.ts'
import { foldNames } from '../ui/fold-names.ts'
import { printLine } from '../ui/terminal.ts'
import { BaseCommand } from './base.ts'
import { batchFlags, failuresAllowed } from './base-batch.ts'

/** What a timer can wait, in seconds. */
const maxTimeoutS = 2_000_000

interface RunRemoteJson {
  hosts: (Omit<RemoteResult, 'error' | 'reached'> & { error: object | null })[]
}

export default class RunRemote extends BaseCommand {
  static override summary = 'Run a command on many hosts at once.'

  static override description =
    'Every line of output begins with its host. The words after -- are joined by spaces to one line for sh on the ' +
    'host, as ssh does it: quote what the shell here shall leave alone. What comes on stdin goes to every host. ' +
    'Ctrl-C ends the command everywhere.\n\nExit code: 0 when the command ended with 0 on all hosts, 7 when it failed ' +
    'on some, 4 when no host could be reached, 130 after Ctrl-C.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> all -- uptime',
    "<%= config.bin %> <%= command.id %> 'node[1-3],tag:lab' --fold -- uname -r",
    "<%= config.bin %> <%= command.id %> tag:lab --sudo --batch 2 --max-fail 1 -- 'apt-get update && apt-get -y upgrade'",
    '<%= config.bin %> <%= command.id %> all --timeout 10 -- sh -s < script.sh',
  ]

  static override usage = '<%= command.id %> PATTERN… [FLAGS] -- COMMAND…'

  static override strict = false

  static override args = {
    pattern: Args.string({ required: true, description: 'Hosts, e.g. node1, tag:lab, all; several may be given.' }),
  }

  static override flags = {
    sudo: Flags.boolean({ description: 'Run it as root; a password is asked for once, when some host wants one.' }),
    timeout: Flags.integer({
      min: 1,
      max: maxTimeoutS,
      helpValue: 'S',
      description: 'Seconds that it may take on each host.',
    }),
    parallel: Flags.integer({ min: 1, default: 32, helpValue: 'N', description: 'Hosts at once.' }),
    ...batchFlags,
    fold: Flags.boolean({ description: 'At the end, identical output once and the others as a diff against it.' }),
  }

  async run(): Promise<RunRemoteJson> {
    const [mine, command] = splitCommand(this.argv)
    const { flags, argv } = await this.parse(RunRemote, mine)
    const ctx = this.context()
    const inventory = await findInventory(flags.inventory, ctx)
    const isJson = this.jsonEnabled()
    const isLive = !isJson && !flags.fold
    const results = await runRemote(
      {
        inventory,
        hosts: argv as string[],
        command,
        sudo: flags.sudo,
        timeoutMs: flags.timeout && flags.timeout * 1000,
        parallel: flags.parallel,
        batch: flags.batch,
        maxFail: failuresAllowed(flags),
        stdin: hasStdin() ? process.stdin : undefined,
        keepOutput: !isLive,
        onLine: isLive ? show : undefined,
        onEnd: isJson ? undefined : showEnd,
      },
      ctx,
    )
    if (!isJson && flags.fold) showFolded(results)
    if (!isJson) showSummary(results)
    const failed = results.some(hasFailed)
    if (ctx.signal.aborted) this.exitWith(exitCodes.interrupted)
    else if (failed) this.exitWith(results.some(({ reached }) => reached) ? exitCodes.partial : exitCodes.noHost)
    return { hosts: results.map(({ reached: _, error, ...result }) => ({ ...result, error: error?.toJSON() ?? null })) }
  }
}

/** The command is everything after the first `--`, flags of its own included. */
function splitCommand(argv: string[]): [mine: string[], command: string[]] {
  const at = argv.indexOf('--')
  const command = at < 0 ? [] : argv.slice(at + 1)
  if (command.join('').trim() !== '') return [argv.slice(0, at), command]
  throw new CpnError('CPN_ERR_USAGE', 'there is no command to run', {
    suggestions: ['Write it after --, e.g. `cpn run-remote all -- uptime`.'],
  })
}

/** A terminal and /dev/null hold nothing for the hosts. */
function hasStdin(): boolean {
  try {
    const status = fstatSync(0)
    return status.isFIFO() || status.isSocket() || status.isFile()
  } catch {
    return false
  }
}

function show(host: string, stream: 'stdout' | 'stderr', line: string): void {
  const shown = `${host}: ${outputLine(line)}`
  if (stream === 'stdout') process.stdout.write(`${shown}\n`)
  else printLine(shown)
}

function showEnd({ name, exitCode, signal, seconds, error }: RemoteResult): void {
  if (error?.code === 'CPN_ERR_INTERRUPTED') printLine(`✖ ${name}: interrupted`)
  else if (error) printLine(renderError(error))
  else if (signal !== null) printLine(`✖ ${name}: ended by SIG${signal} after ${seconds} s`)
  else if (exitCode !== 0) printLine(`✖ ${name}: exit code ${exitCode} after ${seconds} s`)
}

function showFolded(results: RemoteResult[]): void {
  const heard = results.filter(({ error, stdout }) => !error || stdout !== '')
  const outputs = (stream: 'stdout' | 'stderr') =>
    heard.map((result) => ({ host: result.name, output: result[stream] }))
  const stdout = renderFold(outputs('stdout'))
  if (stdout !== '') process.stdout.write(`${stdout}\n`)
  const stderr = renderFold(outputs('stderr').filter(({ output }) => output !== ''))
  if (stderr !== '') printLine(`on stderr:\n${stderr}`)
}

function showSummary(results: RemoteResult[]): void {
  const failed = results.filter(hasFailed).map(({ name }) => name)
  if (failed.length === 0 || results.length === 1) return
  printLine(`${failed.length} of ${results.length} hosts failed: ${foldNames(failed)}`)
}
