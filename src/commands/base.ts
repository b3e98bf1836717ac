import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { Command, Errors, Flags, type Interfaces } from '@oclif/core'
import type { Context } from '../common/context.ts'
import { exitCodes } from '../common/error-codes.ts'
import { CpnError, toCpnError } from '../common/errors.ts'
import { isLogLevel } from '../common/log-lines.ts'
import { LogOutlet } from '../common/log-outlet.ts'
import { createLogger, escapeUnprintable, type Logger } from '../common/logger.ts'
import { logFileName } from '../inventory/state.ts'
import { renderError, renderStack } from '../ui/error.ts'
import { printable } from '../ui/format.ts'
import { createPrompter } from '../ui/prompt.ts'
import { printLine } from '../ui/terminal.ts'

const debug = process.env.CPN_DEBUG === '1'
const logLevel = process.env.CPN_LOG_LEVEL ?? 'info'
const logRotation = { limitBytes: 10 * 2 ** 20, keep: 5 }

// timeout(1), npm and a starter of ours pass on a signal that the terminal has sent as well: one gesture, two signals.
const sameGestureMs = 250

/** What every command has: the flags said everywhere, a context for its action, errors and exit codes. */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true

  static override baseFlags = {
    inventory: Flags.string({
      char: 'i',
      helpValue: 'FILE',
      helpGroup: 'GLOBAL',
      env: 'CPN_INVENTORY',
      description: 'Inventory to use; default ./inventory.yaml.',
    }),
    yes: Flags.boolean({
      helpGroup: 'GLOBAL',
      description: 'Answer yes to what would be asked (never for a host key).',
    }),
  }

  #yes = false
  #context: Context | undefined
  readonly #outlet = new LogOutlet(logRotation)
  /** Whether the log says that the command was run. */
  protected readonly tellsLog: boolean = true
  readonly #controller = new AbortController()

  protected override async parse<
    F extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    B extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    A extends Interfaces.OutputArgs<Interfaces.ArgInput>,
  >(options?: Interfaces.Input<F, B, A>, argv?: string[]): Promise<Interfaces.ParserOutput<F, B, A>> {
    const parsed = await super.parse(options, argv)
    this.#yes = (parsed.flags as { yes?: boolean }).yes === true
    return parsed
  }

  /**
   * What the command's action gets. Call it after `parse`. From the first call on a first SIGINT, SIGTERM or SIGHUP
   * aborts `signal` and a second one ends the process.
   */
  protected context(): Context {
    if (this.#context) return this.#context
    this.#watchSignals()
    const { signal } = this.#controller
    const outlet = this.#outlet
    const logger = this.#openLog()
    const prompter = createPrompter({ yes: this.#yes, signal })
    this.#context = {
      signal,
      logger,
      prompter,
      logTo: (folder) => outlet.open(join(folder, logFileName)),
      notice: (text) => printLine(text.split('\n').map(printable).join('\n')),
    }
    return this.#context
  }

  /** Everything that the command logs goes to its fleet's log, and with CPN_DEBUG=1 to stderr. */
  #openLog(): Logger {
    const outlet = this.#outlet
    const level = isLogLevel(logLevel) ? logLevel : 'info'
    const begun = performance.now()
    process.once('exit', () => {
      const seconds = Math.round(performance.now() - begun) / 1000
      if (this.tellsLog)
        logger.info({ event: 'command-ended', exitCode: process.exitCode ?? 0, seconds }, 'command ended')
      outlet.flush()
    })
    const destination = debug ? bothOf(outlet, process.stderr) : outlet
    const logger = createLogger(destination, debug ? 'debug' : level).child({ pid: process.pid, command: this.id })
    if (this.tellsLog) logger.info({ event: 'command-began', version: this.config.version }, 'command began')
    return logger
  }

  /** Sets the exit code of a command that has shown its results although part of the work failed. */
  protected exitWith(code: number): void {
    process.exitCode = code
  }

  /** What hosts and files say stays JSON, and does not act on a terminal. */
  protected override logJson(json: unknown): void {
    process.stdout.write(`${escapeUnprintable(JSON.stringify(json, null, 2))}\n`)
  }

  protected override async catch(thrown: Interfaces.CommandError): Promise<never> {
    if (thrown instanceof Errors.ExitError) throw thrown
    const error = this.#translate(thrown)
    const { code, host } = error
    const bug = code === 'CPN_ERR_BUG' ? { err: error.cause ?? error } : {}
    this.#context?.logger.error({ event: 'command-failed', code, host, ...bug }, 'command failed')
    if (this.jsonEnabled()) this.logJson({ error: error.toJSON() })
    else printLine(renderError(error))
    if (debug) printLine(renderStack(error))
    return this.exit(error.exitCode)
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    if (this.#controller.signal.aborted) process.exitCode ??= exitCodes.interrupted
    await super.finally(error)
  }

  #translate(thrown: Error): CpnError {
    if (thrown instanceof CpnError) return thrown
    if (thrown instanceof Errors.CLIError) return usageError(thrown.message, this.id)
    const { signal } = this.#controller
    return signal.aborted && thrown.name === 'AbortError' ? signal.reason : toCpnError(thrown)
  }

  #watchSignals(): void {
    let first: number | undefined
    const onSignal = () => {
      const now = performance.now()
      if (first !== undefined && now - first < sameGestureMs) return
      if (first !== undefined) process.exit(exitCodes.interrupted)
      first = now
      this.#controller.abort(new CpnError('CPN_ERR_INTERRUPTED', 'interrupted'))
    }
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal)
  }
}

function bothOf(...all: { write(line: string): unknown }[]): { write(line: string): void } {
  return {
    write: (line) => {
      for (const each of all) each.write(line)
    },
  }
}

/** What oclif says of a wrong command line as an error of ours. */
export function usageError(message: string, id = ''): CpnError {
  const [said] = stripVTControlCharacters(message).split('\nSee more help with --help')
  return new CpnError(
    'CPN_ERR_USAGE',
    said!
      .trim()
      .replace(/^The following errors? occurred:\s*/, '')
      .replace(/ \n\t/g, ': '),
    {
      suggestions: [`See \`${['cpn', ...id.split(':'), '--help'].filter(Boolean).join(' ')}\`.`],
    },
  )
}
