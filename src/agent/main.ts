import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { CpnError, systemErrorCode, toCpnError } from '../common/errors.ts'
import { version } from '../common/version.ts'
import { decodeLockedRequest, keyLockedMark, markerOf } from '../protocol/locked-login.ts'
import { encodeError } from '../protocol/wire-errors.ts'
import { runBridge } from './bridge.ts'
import { lockKey } from './control/lock-key.ts'
import { printLogs } from './control/logs.ts'
import { startAgent } from './control/start.ts'
import { agentStatus } from './control/status.ts'
import { stopAgent } from './control/stop.ts'
import { uninstallAgent } from './control/uninstall.ts'
import { type FleetFolder, fleetFolder } from './fleet-folder.ts'
import { runKeeper } from './keep/keeper.ts'
import { linkCommand } from './link.ts'
import { receiveCommand } from './receive.ts'
import { runSupervisor } from './supervisor.ts'

/** The agent lies in agent/ of its release; Node.js has resolved links on the way to it. */
const releaseDir = dirname(import.meta.dirname)

interface Call {
  /** What follows the subcommand. */
  args: string[]
  /** The fleet that is meant; throws CPN_ERR_USAGE when none was named. */
  fleet: () => FleetFolder
}

/** What each subcommand does; what it returns is printed as JSON. */
const commands: Record<string, (call: Call) => unknown> = {
  start: ({ args, fleet }) => {
    const { values } = parseArgs({
      args,
      options: { 'if-not-stopped': { type: 'boolean' }, restart: { type: 'boolean' } },
    })
    const { 'if-not-stopped': ifNotStopped = false, restart = false } = values
    return startAgent(fleet(), { ifNotStopped, restart })
  },
  stop: ({ args, fleet }) => {
    const { values } = parseArgs({ args, options: { now: { type: 'boolean' } } })
    return stopAgent(fleet(), values.now ?? false)
  },
  status: ({ fleet }) => agentStatus(fleet()),
  uninstall: ({ fleet }) => uninstallAgent(fleet()),
  logs: ({ args, fleet }) => printLogs(args, fleet()),
  run: ({ args, fleet }) => {
    const { values } = parseArgs({ args, options: { 'kept-by': { type: 'string' } } })
    return runSupervisor({ fleet: fleet(), releaseDir, keptBy: keptBy(values['kept-by']) })
  },
  keeper: ({ fleet }) => runKeeper(fleet()),
  bridge: (call) => {
    const { values } = parseArgs({ args: call.args, options: { only: { type: 'boolean' } } })
    if (values.only) return lockedLogin(call)
    return runBridge(call.fleet().socket, process.stdin, process.stdout)
  },
  'lock-key': ({ args, fleet }) => lockKey(fleet(), args.join(' '), true),
  'unlock-key': ({ args, fleet }) => lockKey(fleet(), args.join(' '), false),
  receive: ({ args }) => receiveCommand(args),
  link: ({ args }) => linkCommand(args),
  version: () => ({ version, node: process.version }),
}

/** The login of a locked key: one of few requests, as if it were the command line. */
async function lockedLogin({ fleet }: Call): Promise<unknown> {
  const request = decodeLockedRequest(process.env.SSH_ORIGINAL_COMMAND ?? '')
  if (!request) {
    process.stderr.write(`${keyLockedMark}\n`)
    throw new CpnError('CPN_ERR_KEY_LOCKED', 'this key lets nothing be done but the work of the agent')
  }
  for (const stream of [process.stdout, process.stderr]) stream.write(`${markerOf(request.nonce)}\n`)
  const [name = '', ...args] = request.words
  if (name === 'place') return void process.stdout.write(placeOf(fleet()))
  // Nothing else tells that the connection has gone.
  if (args.includes('--follow')) process.stdin.resume().once('end', () => process.exit(0))
  return await commands[name]!({ args, fleet })
}

/** What a master finds out by a script where its key is not locked. */
function placeOf({ dir, stopped }: FleetFolder): string {
  return `cpn-place ${existsSync(stopped) ? 'stopped' : 'provisioned'} ${dir}\n`
}

function keptBy(name: string | undefined) {
  return name === 'keeper' || name === 'systemd-user' ? name : 'none'
}

function fleetOf(dir: string | undefined): FleetFolder {
  if (dir !== undefined) return fleetFolder(dir)
  throw new CpnError('CPN_ERR_USAGE', 'it is not known which fleet is meant', {
    suggestions: ['Call ~/.cpn/fleets/<id>/current/bin/cpn-agent, or give --fleet-dir.'],
  })
}

/** `--fleet-dir` may stand before the subcommand, where bin/cpn-agent puts it, or after it. */
function splitArguments(argv: string[]): { name: string; args: string[]; fleetDir: string | undefined } {
  const at = argv.lastIndexOf('--fleet-dir')
  if (at < 0) return { name: argv[0] ?? '', args: argv.slice(1), fleetDir: undefined }
  const { name, args, fleetDir } = splitArguments(argv.toSpliced(at, 2))
  return { name, args, fleetDir: argv[at + 1] ?? fleetDir }
}

async function main(argv: string[]): Promise<void> {
  const { name, args, fleetDir } = splitArguments(argv)
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command) {
    throw new CpnError('CPN_ERR_USAGE', `there is no subcommand '${name}'`, {
      suggestions: [`Use one of: ${Object.keys(commands).join(', ')}.`],
    })
  }
  const result = await command({ args, fleet: () => fleetOf(fleetDir) })
  if (result !== undefined) process.stdout.write(`${JSON.stringify(result)}\n`)
}

function fail(error: unknown): void {
  const usage = systemErrorCode(error)?.startsWith('ERR_PARSE_ARGS')
  const known = usage ? new CpnError('CPN_ERR_USAGE', (error as Error).message) : toCpnError(error)
  // Whoever runs this reads the last line.
  if (known.code === 'CPN_ERR_BUG' && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  process.stderr.write(`${encodeError(known)}\n`)
  process.exitCode = known.exitCode
}

process.umask(0o077)
// Whoever read the output has gone: there is nobody left to tell.
process.stdout.on('error', () => process.exit(0))
await main(process.argv.slice(2)).catch(fail)
