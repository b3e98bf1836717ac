import { Document, isMap, isScalar, type Pair, type YAMLMap } from 'yaml'
import { parseYaml } from './parse.ts'
import type { HostEntry } from './schema.ts'

// Rewriting the document would move comments and lose the columns people align by hand, so where `hosts` is written
// line by line only the lines of the host change. In other layouts the Document is changed and written anew.

/** The text with a host behind the last one. */
export function withHost(text: string, file: string, name: string, entry: HostEntry): string {
  const { document } = parseYaml(text, file)
  const hosts = document.get('hosts', true)
  const last = isMap(hosts) && !hosts.flow ? hosts.items.at(-1) : undefined
  const indent = last && keyIndent(text, last)
  if (last && indent !== undefined) {
    return insertLines(text, endOfPair(text, last, indent), hostLines(name, entry, isBlock(last), indent))
  }
  if (!isMap(hosts)) document.set('hosts', document.createNode({}))
  document.setIn(['hosts', name], document.createNode(entry, { flow: true }))
  return document.toString({ lineWidth: 0 })
}

/** The text without a host; comments above it stay. */
export function withoutHost(text: string, file: string, name: string): string {
  const { document } = parseYaml(text, file)
  const hosts = document.get('hosts', true)
  const pair = isMap(hosts) && !hosts.flow ? pairOf(hosts, name) : undefined
  const indent = pair && keyIndent(text, pair)
  if (pair && indent !== undefined) {
    return text.slice(0, startOf(pair) - indent.length) + text.slice(endOfPair(text, pair, indent))
  }
  document.deleteIn(['hosts', name])
  return document.toString({ lineWidth: 0 })
}

function pairOf(hosts: YAMLMap, name: string): Pair | undefined {
  return hosts.items.find((item) => isScalar(item.key) && String(item.key.value) === name)
}

const startOf = ({ key }: Pair): number => (isScalar(key) && key.range ? key.range[0] : 0)

const isBlock = ({ value }: Pair): boolean => isMap(value) && !value.flow

// Undefined where something but spaces stands before the key on its line.
function keyIndent(text: string, pair: Pair): string | undefined {
  const start = startOf(pair)
  const before = text.slice(text.lastIndexOf('\n', start - 1) + 1, start)
  return /^ *$/.test(before) ? before : undefined
}

// Behind the line on which the pair ends and behind comments that are indented like its inside.
function endOfPair(text: string, pair: Pair, indent: string): number {
  const { value } = pair as { value: { range?: [number, number, number] } | null }
  let end = value?.range?.[2] ?? startOf(pair)
  if (text[end - 1] !== '\n') end = endOfLine(text, end)
  const comment = new RegExp(`${indent} +#[^\\n]*(\\n|$)`, 'y')
  for (comment.lastIndex = end; comment.test(text); ) end = comment.lastIndex
  return end
}

function endOfLine(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset)
  return newline === -1 ? text.length : newline + 1
}

function hostLines(name: string, entry: HostEntry, block: boolean, indent: string): string {
  const document = new Document({ [name]: entry })
  const settings = document.get(name, true) as unknown as YAMLMap
  settings.flow = !block
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: true, indent: Math.max(indent.length, 2) })
  return text.replaceAll(/^(?=.)/gm, indent)
}

function insertLines(text: string, offset: number, lines: string): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const before = text.slice(0, offset)
  const joint = before === '' || before.endsWith('\n') ? '' : newline
  return before + joint + lines.replaceAll('\n', newline) + text.slice(offset)
}
