import { randomBytes, randomInt } from 'node:crypto'
import { link, open, readFile, rm, writeFile } from 'node:fs/promises'
import { CpnError, systemErrorCode } from '../common/errors.ts'

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** The fleet id in `file`, minted there if nobody did; processes that start together agree on one. */
export async function fleetIdIn(file: string): Promise<string> {
  return (await readFleetId(file)) ?? (await mintFleetId(file))
}

async function mintFleetId(file: string): Promise<string> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`
  try {
    const id = Array.from({ length: 12 }, () => alphabet[randomInt(alphabet.length)]).join('')
    await writeFile(temporary, `${id}\n`, { mode: 0o600, flag: 'wx', flush: true })
    await linkOnce(temporary, file)
  } finally {
    await rm(temporary, { force: true })
  }
  const winner = await readFleetId(file)
  if (winner) return winner
  throw new CpnError('CPN_ERR_STATE_DIR', `${file} vanished while it was being written`)
}

// A link appears whole or not at all, and never replaces one: the first process wins.
async function linkOnce(temporary: string, file: string): Promise<void> {
  try {
    await link(temporary, file)
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'EEXIST') return
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error
    await createExclusively(temporary, file)
  }
}

// For file systems without hard links.
async function createExclusively(temporary: string, file: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600).catch((error: unknown) => {
    if (systemErrorCode(error) === 'EEXIST') return undefined
    throw error
  })
  await handle?.writeFile(await readFile(temporary))
  await handle?.sync()
  await handle?.close()
}

async function readFleetId(file: string): Promise<string | undefined> {
  const id = await readFile(file, 'utf8').catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (id === undefined || /^[a-z0-9]{12}\n?$/.test(id)) return id?.trimEnd()
  throw new CpnError('CPN_ERR_STATE_DIR', `${file} holds no fleet id`, {
    suggestions: ['Restore the file from a backup; a new id would leave the nodes of this fleet orphaned.'],
  })
}
