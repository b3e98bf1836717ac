import type { Logger } from './logger.ts'

/** Asks the person at the terminal. Questions from several hosts are asked one after another. */
export interface Prompter {
  /** False without a terminal: then nothing is asked, and what would be asked fails with CPN_ERR_NEEDS_TERMINAL. */
  readonly interactive: boolean
  /** A secret, not echoed. */
  secret(question: string): Promise<string>
  /** yes or no; `--yes` answers yes. */
  confirm(question: string): Promise<boolean>
}

/** What every action gets besides its own options. */
export interface Context {
  /** Aborts when the command should drain and end (first Ctrl-C). */
  signal: AbortSignal
  logger: Logger
  /** Tells where the log of the command is kept: in this folder, as soon as it exists. */
  logTo?(folder: string): void
  prompter: Prompter
  /** A line for the person: warnings and what is going on. Goes to stderr. */
  notice(message: string): void
}
