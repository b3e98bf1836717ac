import { styleText } from 'node:util'
import { printable } from './format.ts'

export interface ShownRecord {
  time: number
  level: string
  source: string | undefined
  message: string
  fields: Record<string, unknown>
}

const sourceWidth = 8
const colours: Record<string, 'yellow' | 'red' | 'dim' | undefined> = {
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
  debug: 'dim',
  trace: 'dim',
}

/** A line of a log for the person, harmless for the terminal: time, level, who wrote it, what, and its fields. */
export function renderLogLine({ time, level, source = 'master', message, fields }: ShownRecord): string {
  const told = Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => `${printable(key)}=${valueText(value)}`)
  const colour = colours[level]
  const shownLevel = level.padEnd(5)
  return [
    new Date(time).toISOString(),
    colour ? styleText(colour, shownLevel, { stream: process.stdout }) : shownLevel,
    printable(source).padEnd(sourceWidth),
    printable(message),
    ...told,
  ].join(' ')
}

function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return printable(/[\s"=]/.test(text) && typeof value === 'string' ? JSON.stringify(text) : text)
}
