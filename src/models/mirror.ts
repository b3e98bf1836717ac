import { chmod, constants, copyFile, readdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256File } from '../common/digest.ts'
import { CpnError, systemErrorCode } from '../common/errors.ts'
import type { ModelManifest } from '../protocol/model.ts'

/** Where the user keeps copies of models: $CPN_MODEL_MIRROR. */
export type Mirror = { kind: 'folder'; path: string } | { kind: 'web'; base: string }

/** Reads the value of CPN_MODEL_MIRROR: a folder, a file: address or an http(s) address. */
export function parseMirror(value: string | undefined): Mirror | undefined {
  if (value === undefined || value === '') return undefined
  if (/^https?:/i.test(value)) {
    if (!URL.canParse(value)) throw noAddress(value)
    return { kind: 'web', base: value.endsWith('/') ? value : `${value}/` }
  }
  if (/^file:/i.test(value)) return { kind: 'folder', path: folderOf(value) }
  return { kind: 'folder', path: resolve(value.replace(/^~(?=\/|$)/, homedir())) }
}

function folderOf(address: string): string {
  try {
    return fileURLToPath(address)
  } catch (cause) {
    throw noAddress(address, cause)
  }
}

function noAddress(address: string, cause?: unknown): CpnError {
  return new CpnError('CPN_ERR_USAGE', `CPN_MODEL_MIRROR is no address: ${address}`, {
    cause,
    suggestions: ['Give a folder (/path/to/models), file:///path/to/models or https://host/path.'],
  })
}

/** The addresses a web mirror may have a model at, if there is one: names of its public files, then its digest. */
export function mirrorUrls(base: string | undefined, manifest: ModelManifest): string[] {
  if (base === undefined) return []
  const names = [...manifest.urls.map((url) => basename(new URL(url).pathname)), manifest.sha256]
  return [...new Set(names)].filter((name) => name !== '').map((name) => new URL(name, base).href)
}

/**
 * Copies a model out of a folder, where it may have any name: size and digest tell it.
 * Throws CPN_ERR_MODEL_DOWNLOAD when the folder does not have it.
 */
export async function copyFromFolder(folder: string, manifest: ModelManifest, path: string): Promise<void> {
  for (const file of await filesOfSize(folder, manifest.bytes)) {
    if ((await sha256File(file)) !== manifest.sha256) continue
    await copyFile(file, path, constants.COPYFILE_FICLONE)
    return chmod(path, 0o600)
  }
  throw failure(`no file in it has the digest ${manifest.sha256.slice(0, 12)}…`)
}

async function filesOfSize(folder: string, bytes: number): Promise<string[]> {
  try {
    const files: string[] = []
    for (const name of await readdir(folder)) {
      const found = await stat(join(folder, name)).catch(() => undefined)
      if (found?.isFile() && found.size === bytes) files.push(join(folder, name))
    }
    return files
  } catch (cause) {
    throw failure(`the folder cannot be read (${systemErrorCode(cause) ?? cause})`, cause)
  }
}

function failure(reason: string, cause?: unknown): CpnError {
  return new CpnError('CPN_ERR_MODEL_DOWNLOAD', reason, { cause })
}
