import { inspect, styleText } from 'node:util'
import type { CpnError } from '../common/errors.ts'
import { printable } from './format.ts'

const shownSuggestions = 3

/** An error for the person: what happened and where, what to do next, the code to look up. */
export function renderError(error: CpnError): string {
  const where = error.host === undefined || error.message.startsWith(`${error.host}:`) ? '' : `${error.host}: `
  const [first = '', ...more] = `${where}${error.message}`.split('\n').map(printable)
  return [
    `${style('red', '✖')} ${first}`,
    ...more.map((line) => `  ${line}`),
    ...error.suggestions.slice(0, shownSuggestions).map((suggestion) => `  → ${printable(suggestion)}`),
    style('dim', `  ${error.code}`),
  ].join('\n')
}

/** The error with its stack and causes, for whoever looks for a bug. */
export function renderStack(error: CpnError): string {
  return inspect(error.cause ?? error, { depth: 5 })
}

function style(format: 'red' | 'dim', text: string): string {
  return styleText(format, text, { stream: process.stderr })
}
