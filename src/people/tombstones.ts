import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { systemErrorCode } from '../common/errors.ts'
import { replaceFile } from '../inventory/replace-file.ts'

// Nodes have galleries in memory. One that was away when somebody was to be forgotten is told when it is back. The file
// has names of nodes and times, and none of people.

const schema = z.record(z.string(), z.iso.datetime())
type Tombstones = z.infer<typeof schema>

/** What of an agent's client is needed. */
interface Forgetful {
  forgetGalleries(signal?: AbortSignal): Promise<void>
}

const fileIn = (peopleDir: string) => join(peopleDir, 'tombstones.json')

/** Notes that these nodes may still have a gallery with somebody who is to be forgotten. */
export async function bury(peopleDir: string, nodes: readonly string[]): Promise<void> {
  const now = new Date().toISOString()
  await change(peopleDir, (tombstones) => ({ ...tombstones, ...Object.fromEntries(nodes.map((name) => [name, now])) }))
}

/** Nodes that are still to be told. */
export const buriedOn = async (peopleDir: string): Promise<string[]> => Object.keys((await read(peopleDir)) ?? {})

/** Has a node forget its galleries where that is due. */
export async function forgetOn(node: string, client: Forgetful, peopleDir: string, signal: AbortSignal): Promise<void> {
  const tombstones = await read(peopleDir)
  if (tombstones && tombstones[node] === undefined) return
  await client.forgetGalleries(signal)
  // Who is due cannot be read any more: every node is told, each time, until the list is written anew.
  if (!tombstones) return
  await change(peopleDir, ({ [node]: _, ...others }) => others)
}

/** Undefined where the list is damaged. */
async function read(peopleDir: string): Promise<Tombstones | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(fileIn(peopleDir), 'utf8')))
  } catch (error) {
    return systemErrorCode(error) === 'ENOENT' ? {} : undefined
  }
}

async function change(peopleDir: string, edit: (tombstones: Tombstones) => Tombstones): Promise<void> {
  await mkdir(dirname(fileIn(peopleDir)), { recursive: true, mode: 0o700 })
  const write = async () => `${JSON.stringify(edit((await read(peopleDir)) ?? {}), null, 2)}\n`
  await replaceFile(fileIn(peopleDir), write, 'CPN_ERR_STATE_DIR', 0o600)
}
