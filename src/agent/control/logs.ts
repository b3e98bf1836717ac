import { parseArgs } from 'node:util'
import { CpnError } from '../../common/errors.ts'
import { followLog, isWanted, type LogLevel, logEnd, logLevels, recentLines } from '../../common/log-lines.ts'
import type { FleetFolder } from '../fleet-folder.ts'

const options = {
  lines: { type: 'string' },
  follow: { type: 'boolean', short: 'f' },
  /** Not older than so many seconds, by the clock here. */
  within: { type: 'string' },
  level: { type: 'string' },
  /** Begins with a line that says what time it is here. */
  clock: { type: 'boolean' },
} as const

/** Prints the log's last lines and, with --follow, what is appended to it from then on. */
export async function printLogs(args: string[], fleet: FleetFolder): Promise<void> {
  const { values } = parseArgs({ args, options })
  const filter = {
    lines: numberOf(values.lines ?? '100'),
    notBefore: values.within === undefined ? undefined : Date.now() - numberOf(values.within) * 1000,
    level: levelNamed(values.level),
  }
  const start = logEnd(fleet.log)
  if (values.clock) process.stdout.write(`${JSON.stringify({ clock: new Date().toISOString() })}\n`)
  for (const line of recentLines(fleet.log, filter)) process.stdout.write(`${line}\n`)
  if (!values.follow) return
  for await (const text of followLog(fleet.log, start)) {
    const lines = text.split('\n').filter((line) => line !== '' && isWanted(line, { level: filter.level }))
    for (const line of lines) process.stdout.write(`${line}\n`)
  }
}

function numberOf(text: string): number {
  const number = Number(text)
  if (number >= 0) return number
  throw new CpnError('CPN_ERR_USAGE', `${text} is no number`)
}

function levelNamed(name: string | undefined): LogLevel | undefined {
  const level = logLevels.find((each) => each === name)
  if (level || name === undefined) return level
  throw new CpnError('CPN_ERR_USAGE', `${name} is none of ${logLevels.join(', ')}`)
}
