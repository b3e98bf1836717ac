import { Errors, Help } from '@oclif/core'
import { renderError } from '../ui/error.ts'
import { printLine } from '../ui/terminal.ts'
import { usageError } from './base.ts'

/** oclif's hook for a word that is no command. */
export async function commandNotFound({ id, argv = [] }: { id: string; argv?: string[] }): Promise<void> {
  refuse(id.replaceAll(':', ' '), argv)
}

/** oclif's help, with our error for a word that is no command. */
export class CommandHelp extends Help {
  override async showHelp(argv: string[]): Promise<void> {
    try {
      await super.showHelp(argv)
    } catch (error) {
      if (!(error instanceof Errors.CLIError)) throw error
      refuse(argv.filter((word) => !word.startsWith('-')).join(' '), argv)
    }
  }
}

function refuse(words: string, argv: string[]): never {
  const error = usageError(`there is no command \`${words}\``)
  if (argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: error.toJSON() }, null, 2)}\n`)
  else printLine(renderError(error))
  process.exit(error.exitCode)
}
