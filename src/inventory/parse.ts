import { type Document, isAlias, isMap, isNode, isScalar, isSeq, parseDocument, visit, type YAMLError } from 'yaml'
import { CpnError } from '../common/errors.ts'
import { frame, position, type Span } from './frame.ts'
import { shortPath } from './source.ts'

/** An inventory's text as data, with the way back from data to places in the text. */
export interface ParsedYaml {
  document: Document
  data: unknown
  /** The place of the value at `path`, or of its nearest ancestor that the text has. */
  valueAt(path: PropertyKey[]): Span
  /** The place of the key `key` of the mapping at `path`. */
  keyAt(path: PropertyKey[], key: string): Span
}

// Enough for a few hundred hosts sharing an anchor, far from what an alias bomb needs.
const maxAliasCount = 10_000

/** Parses YAML strictly: no duplicate keys, no unknown tags, one document. */
export function parseYaml(text: string, file: string): ParsedYaml {
  const document = parseDocument(text, {
    merge: true,
    stringKeys: true,
    resolveKnownTags: false,
    prettyErrors: false,
  }) as Document
  const fault = document.errors[0] ?? document.warnings[0]
  if (fault) throw syntaxError(text, file, placeOf(fault, text), explain(fault, text))
  return {
    document,
    data: toData(document, text, file),
    valueAt: (path) => find(document, path),
    keyAt: (path, key) => find(document, path, key),
  }
}

/** CPN_ERR_INVENTORY_SYNTAX at a place in the text. */
export function syntaxError(text: string, file: string, span: Span, message: string): CpnError {
  return new CpnError(
    'CPN_ERR_INVENTORY_SYNTAX',
    `${shortPath(file)}:${position(text, span)}: ${message}\n${frame(text, span)}`,
    { suggestions: [`Correct ${shortPath(file)}; inventory.example.yaml shows how one is written.`] },
  )
}

// What is missing at the end of the file is missing behind its last visible character.
function placeOf({ pos: [start, end] }: YAMLError, text: string): Span {
  const last = Math.max(0, text.trimEnd().length - 1)
  return start > last ? { start: last, end: last + 1 } : { start, end }
}

function explain(fault: YAMLError, text: string): string {
  const at = text.slice(fault.pos[0], fault.pos[1])
  switch (fault.code) {
    case 'DUPLICATE_KEY':
      return `${JSON.stringify(keyAtOffset(text, fault.pos[0]))} is there twice: remove or rename one of them`
    case 'TAB_AS_INDENT':
      return 'a tab indents this line: YAML wants spaces'
    case 'BAD_INDENT':
      return 'indent it as its neighbours, or close the bracket before'
    case 'MULTIPLE_DOCS':
      return 'a second document begins here: remove the "---", an inventory is one document'
    case 'NON_STRING_KEY':
      return 'a key has to be plain text'
    case 'RESOURCE_EXHAUSTION':
      return 'brackets are nested too deeply'
    case 'TAG_RESOLVE_FAILED':
      return `tags such as ${at.trim() || '!this'} mean nothing here: remove it`
    default:
      return fault.message
  }
}

const keyAtOffset = (text: string, start: number): string => /^["']?([^\s:"']+)/.exec(text.slice(start))?.[1] ?? ''

function toData(document: Document, text: string, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount })
  } catch (error) {
    const alias = aliasAtFault(document)
    const message = alias.name
      ? `nothing is called &${alias.name}: set the anchor before using *${alias.name}`
      : 'aliases multiply too often: write the values out'
    throw Object.assign(syntaxError(text, file, alias.span, message), { cause: error })
  }
}

// The first alias without an anchor, or else the last alias: the top of the heap when they multiply.
function aliasAtFault(document: Document): { name?: string; span: Span } {
  const fault: { name?: string; span: Span } = { span: { start: 0, end: 1 } }
  visit(document, {
    Alias(_key, node) {
      fault.span = spanOf(node) ?? fault.span
      if (node.resolve(document)) return undefined
      fault.name = node.source
      return visit.BREAK
    },
  })
  return fault
}

function find(document: Document, path: PropertyKey[], key?: string): Span {
  let node: unknown = document.contents
  let span = spanOf(node) ?? { start: 0, end: 1 }
  for (const segment of key === undefined ? path : [...path, key]) {
    const collection = isAlias(node) ? node.resolve(document) : node
    const item = isMap(collection)
      ? collection.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(segment))
      : undefined
    node = item ? item.value : isSeq(collection) ? collection.items[Number(segment)] : undefined
    // An empty value has no place of its own: its key stands for it.
    span = spanOf(node) ?? spanOf(item?.key) ?? span
    if (key !== undefined && segment === key) span = spanOf(item?.key) ?? span
  }
  return span
}

function spanOf(node: unknown): Span | undefined {
  if (!isNode(node) || !node.range || node.range[0] === node.range[1]) return undefined
  return { start: node.range[0], end: node.range[1] }
}
