import { Document, isMap, isScalar, type Node, type Pair, type YAMLMap } from 'yaml'
import { parseYaml } from './parse.ts'
import type { HostEntry } from './schema.ts'

// Writing the whole document anew would move comments and lose the columns people align by hand. So only the lines of
// the host change, or, where `hosts` is in braces, only what is between them.

/** The text with hosts behind the last one. */
export function withHosts(text: string, file: string, entries: Record<string, HostEntry>): string {
  const { document } = parseYaml(text, file)
  const hosts = pairOf(document.contents, 'hosts')
  const lines = (block: boolean, indent: string) =>
    Object.entries(entries)
      .map(([name, entry]) => hostLines(name, entry, block, indent))
      .join('')
  if (!hosts) return insertLines(text, text.length, `hosts:\n${lines(false, '  ')}`)
  if (isMap(hosts.value) && hosts.value.flow) {
    for (const [name, entry] of Object.entries(entries)) {
      hosts.value.set(name, document.createNode(entry, { flow: true }))
    }
    return replaceValue(text, hosts.value)
  }
  const last = isMap(hosts.value) ? hosts.value.items.at(-1) : undefined
  const offset = endOfPair(text, last ?? hosts)
  return insertLines(text, offset, lines(isBlock(last), last ? indentOf(text, last) : '  '))
}

/** The text without a host; comments above it stay. */
export function withoutHost(text: string, file: string, name: string): string {
  const { document } = parseYaml(text, file)
  const hosts = pairOf(document.contents, 'hosts')?.value
  const pair = pairOf(hosts, name)
  if (!isMap(hosts) || !pair) return text
  if (!hosts.flow) return text.slice(0, startOfLine(text, startOf(pair))) + text.slice(endOfPair(text, pair))
  hosts.delete(name)
  return replaceValue(text, hosts)
}

function pairOf(map: unknown, key: string): Pair | undefined {
  return isMap(map) ? map.items.find((item) => isScalar(item.key) && String(item.key.value) === key) : undefined
}

const startOf = ({ key }: Pair): number => (isScalar(key) && key.range ? key.range[0] : 0)

const startOfLine = (text: string, offset: number): number => text.lastIndexOf('\n', offset - 1) + 1

const indentOf = (text: string, pair: Pair): string => ' '.repeat(startOf(pair) - startOfLine(text, startOf(pair)))

const isBlock = (pair: Pair | undefined): boolean => isMap(pair?.value) && !pair.value.flow

// A pair reaches to its last line that is indented deeper than its key. The parser's own ranges take in comments that
// stand below it.
function endOfPair(text: string, pair: Pair): number {
  const indent = indentOf(text, pair).length
  let end = endOfLine(text, startOf(pair))
  for (let start = end; start < text.length; start = endOfLine(text, start)) {
    const line = text.slice(start, endOfLine(text, start)).trimEnd()
    const content = line.trimStart()
    const deeper = line.length - content.length > indent
    if (content === '' || (content.startsWith('#') && !deeper)) continue
    if (!deeper) break
    end = endOfLine(text, start)
  }
  return end
}

function endOfLine(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset)
  return newline === -1 ? text.length : newline + 1
}

function hostLines(name: string, entry: HostEntry, block: boolean, indent: string): string {
  if (!block) return `${indent}${name}: ${flowText(entry).replace(/^\{(.+)\}$/s, '{ $1 }')}\n`
  const lines = new Document({ [name]: entry }).toString({ lineWidth: 0, indent: Math.max(indent.length, 2) })
  return lines.replaceAll(/^(?=.)/gm, indent)
}

function flowText(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false })
  const options = { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 } as const
  return document.toString(options).trimEnd()
}

function replaceValue(text: string, map: YAMLMap): string {
  const [start, end] = (map as Node).range!
  // A comment behind the closing brace is still in the text.
  map.comment = null
  const document = new Document()
  document.contents = map
  return text.slice(0, start) + document.toString({ lineWidth: 0, verifyAliasOrder: false }).trimEnd() + text.slice(end)
}

function insertLines(text: string, offset: number, lines: string): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const before = text.slice(0, offset)
  const joint = before === '' || before.endsWith('\n') ? '' : newline
  return before + joint + lines.replaceAll('\n', newline) + text.slice(offset)
}
