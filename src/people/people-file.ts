import * as z from 'zod'
import { CpnError } from '../common/errors.ts'
import { embeddingLength } from '../matching/dot-products.ts'
import { isUnit } from '../matching/unit-length.ts'
import { modelNameSchema, sha256Schema } from '../protocol/model.ts'
import type { EnrolledPhoto, People, Person } from './people.ts'
import { nameKey, personName } from './person-name.ts'

// NDJSON: a line about the whole, then one for each person. Embeddings are float32 little endian in base64.

const format = 'cpn people 1'

const headSchema = z.object({
  format: z.literal(format),
  version: z.number().int().nonnegative(),
  model: z.object({ name: modelNameSchema, version: z.string(), sha256: sha256Schema }).nullable(),
  people: z.number().int().nonnegative(),
})

const personSchema = z.object({
  name: z.string(),
  photos: z.array(
    z.object({
      source: z.string(),
      sha256: sha256Schema,
      face: z.number().int().nonnegative(),
      added: z.iso.datetime(),
      facePixels: z.number().nonnegative(),
      sharpness: z.number().nonnegative(),
      score: z.number().min(0).max(1),
      embedding: z.base64().transform(decodeEmbedding),
    }),
  ),
})

export function encodePeople({ version, model, people }: People): string {
  const head = { format, version, model: model ?? null, people: people.length }
  const lines = people.map(({ name, photos }) => ({ name, photos: photos.map(encodePhoto) }))
  return [head, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('')
}

/** Throws CPN_ERR_GALLERY_DAMAGED, naming the line, for what is not whole. @param file for messages */
export function decodePeople(text: string, file: string): People {
  const [first = '', ...rest] = text.split('\n')
  const head = parse(headSchema, first, file, 1)
  if (rest.pop() !== '' || rest.length !== head.people) {
    throw damaged(file, `it has ${rest.length} of ${head.people} people`)
  }
  const people = rest.map((line, index) => checkPerson(parse(personSchema, line, file, index + 2), file, index + 2))
  const known = new Set<string>()
  for (const { name } of people) {
    if (known.has(nameKey(name))) throw damaged(file, `it has two people called ${name}`)
    known.add(nameKey(name))
  }
  if (people.length > 0 && !head.model) throw damaged(file, 'it does not say which model its embeddings are of')
  return { version: head.version, model: head.model ?? undefined, people }
}

function parse<T>(schema: z.ZodType<T>, line: string, file: string, number: number): T {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw damaged(file, `line ${number} is not JSON`)
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw damaged(file, `line ${number}: ${issue?.path.join('.')} ${issue?.message}`)
}

/** A file from elsewhere may have names that would lead out of a folder. */
function checkPerson(person: Person, file: string, number: number): Person {
  try {
    if (personName(person.name) === person.name) return person
  } catch (cause) {
    throw damaged(file, `line ${number}: ${(cause as Error).message}`, cause)
  }
  throw damaged(file, `line ${number}: ${JSON.stringify(person.name)} is not how names are kept`)
}

function encodePhoto({ embedding, ...photo }: EnrolledPhoto): object {
  const { buffer, byteOffset, byteLength } = embedding
  return { ...photo, embedding: Buffer.from(buffer, byteOffset, byteLength).toString('base64') }
}

function decodeEmbedding(text: string, ctx: z.RefinementCtx): Float32Array {
  const bytes = Buffer.from(text, 'base64')
  const vector = new Float32Array(Uint8Array.from(bytes).buffer, 0, Math.floor(bytes.length / 4))
  if (bytes.length === embeddingLength * 4 && isUnit(vector)) return vector
  ctx.addIssue({ code: 'custom', message: `is no embedding: ${embeddingLength} numbers of length 1` })
  return z.NEVER
}

function damaged(file: string, reason: string, cause?: unknown): CpnError {
  return new CpnError('CPN_ERR_GALLERY_DAMAGED', `${file} cannot be used: ${reason}`, {
    cause,
    suggestions: ['Take a whole copy of it: an export, or an older version from the folder versions beside it.'],
  })
}
