import type * as z from 'zod'
import { CpnError } from '../common/errors.ts'
import { frame, position, type Span } from './frame.ts'
import { didYouMean } from './nearest.ts'
import type { ParsedYaml } from './parse.ts'
import { type InventoryEntries, inventorySchema, knownKeys } from './schema.ts'
import { shortPath } from './source.ts'

/** Something wrong at a place of the inventory; the message says how to put it right. */
export interface Fault {
  span: Span
  message: string
  /** The line holds a secret and must not be shown. */
  secret?: boolean
}

const mostShown = 5
const secretKey = /^(pass(word|phrase|wd)?|secret|token|private_?key)$/i

/** Checks the parsed YAML against the schema. Throws CPN_ERR_INVENTORY_SCHEMA with every fault's place. */
export function validate(yaml: ParsedYaml, text: string, file: string): InventoryEntries {
  const result = inventorySchema.safeParse(yaml.data)
  if (result.success) return result.data
  throw schemaError(
    text,
    file,
    result.error.issues.flatMap((issue) => faultsOf(issue, yaml)),
  )
}

/** One error for all faults, in the order of the text. */
export function schemaError(text: string, file: string, faults: Fault[]): CpnError {
  const sorted = faults.toSorted((a, b) => a.span.start - b.span.start).filter(isFirstAtItsPlace)
  const secretLines = new Set(sorted.filter((fault) => fault.secret).map((fault) => lineOf(text, fault)))
  const shown = sorted.slice(0, mostShown).map((fault) => {
    const headline = `${shortPath(file)}:${position(text, fault.span)}: ${fault.message}`
    return secretLines.has(lineOf(text, fault)) ? headline : `${headline}\n${frame(text, fault.span)}`
  })
  const more = sorted.length - shown.length
  if (more > 0) shown.push(`and ${more} more`)
  return new CpnError('CPN_ERR_INVENTORY_SCHEMA', shown.join('\n\n'), {
    suggestions: [`Correct ${shortPath(file)}; inventory.example.yaml explains every key.`],
  })
}

// The same value can break several rules: the first one said is enough.
function isFirstAtItsPlace(fault: Fault, index: number, all: Fault[]): boolean {
  return index === 0 || all[index - 1]!.span.start !== fault.span.start
}

const lineOf = (text: string, { span }: Fault): string => position(text, span).split(':')[0]!

function faultsOf(issue: z.core.$ZodIssue, yaml: ParsedYaml): Fault[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(issue.path, key, yaml))
  if (issue.code === 'custom' && issue.params?.key !== undefined) {
    return [{ span: yaml.keyAt(issue.path.slice(0, -1), String(issue.params.key)), message: issue.message }]
  }
  return [{ span: yaml.valueAt(issue.path), message: issue.message }]
}

function unknownKey(path: PropertyKey[], key: string, yaml: ParsedYaml): Fault {
  const span = yaml.keyAt(path, key)
  if (secretKey.test(key)) {
    const message = `no "${key}" belongs in an inventory: use a key or ssh-agent, or let cpn ask for it`
    return { span, message, secret: true }
  }
  const known = knownKeys(path)
  return { span, message: `unknown key "${key}": ${didYouMean(key, known, `known here are ${known.join(', ')}`)}` }
}
