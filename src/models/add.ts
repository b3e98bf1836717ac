import { randomBytes } from 'node:crypto'
import { chmod, constants, copyFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256File } from '../common/digest.ts'
import { CpnError, systemErrorCode } from '../common/errors.ts'
import { familySignatures } from '../protocol/families.ts'
import { type FamilyName, type ModelManifest, modelManifestSchema, type Preprocess } from '../protocol/model.ts'
import { catalogue } from './catalogue/index.ts'
import { familyDefaults } from './defaults.ts'
import { install } from './folder.ts'
import { type Inspected, inspectModel } from './inspect.ts'
import type { InstalledModel } from './store.ts'

/** What somebody says of a model of their own. What is left out is the family's custom. */
export interface ModelDetails {
  name: string
  family: FamilyName
  licence: string
  /** Default '1'. */
  version?: string
  description?: string
  preprocess?: Preprocess
  thresholds?: ModelManifest['thresholds']
  /** Of families that tell classes apart. */
  labels?: string[]
}

export type AddDetails = ModelDetails | { manifest: ModelManifest }

/** protobuf ends at 2 GiB, and so does what one file of a model may hold. */
const mostBytes = 2 ** 31 - 1

/**
 * Copies a file into the store. Throws CPN_ERR_MODEL_DIGEST when it is not the file of its manifest, or, without
 * details, none of the catalogue; CPN_ERR_MODEL_INVALID when it does not fit or its name belongs to other bytes.
 */
export async function addModel(
  dir: string,
  installed: InstalledModel[],
  file: string,
  details?: AddDetails,
): Promise<InstalledModel> {
  const temporary = join(dir, `add.${process.pid}-${randomBytes(4).toString('hex')}.part`)
  try {
    // What is inspected is the copy, so that nothing can change in between.
    await copyIn(file, temporary)
    const manifest = await makeManifest(file, temporary, details)
    refuseTakenName(manifest, [...installed.map((model) => model.manifest), ...catalogue()])
    return await install(dir, temporary, manifest)
  } finally {
    await rm(temporary, { force: true })
  }
}

async function copyIn(file: string, copy: string): Promise<void> {
  try {
    const found = await stat(file)
    if (!found.isFile()) throw unreadable(file, 'it is no file')
    if (found.size > mostBytes) throw unreadable(file, 'a model has at most 2 GiB')
    await copyFile(file, copy, constants.COPYFILE_FICLONE)
    await chmod(copy, 0o600)
  } catch (error) {
    throw error instanceof CpnError ? error : unreadable(file, systemErrorCode(error) ?? String(error))
  }
}

async function makeManifest(file: string, copy: string, details?: AddDetails): Promise<ModelManifest> {
  if (details && !('manifest' in details)) {
    return describeModel(details, await inspectModel(copy, details))
  }
  const manifest = details?.manifest ?? (await fromCatalogue(file, copy))
  const inspected = await sha256File(copy)
  if (inspected !== manifest.sha256) throw otherBytes(file, inspected, manifest)
  const { bytes } = await inspectModel(copy, manifest)
  return { ...manifest, bytes }
}

function describeModel(details: ModelDetails, { sha256, bytes }: Inspected): ModelManifest {
  const { name, family, licence, version = '1', description = `A model of the family ${family}`, labels } = details
  const { preprocess, thresholds } = familyDefaults[family]
  return checked({
    name,
    version,
    family,
    licence,
    description,
    sha256,
    bytes,
    task: familySignatures[family].task,
    urls: [],
    preprocess: details.preprocess ?? preprocess,
    thresholds: { ...thresholds, ...details.thresholds },
    ...(labels ? { labels } : {}),
  })
}

function checked(manifest: ModelManifest): ModelManifest {
  const wrong = Object.entries(manifest.thresholds).find(([, value]) => !(value >= 0 && value <= 1))
  const parsed = modelManifestSchema.safeParse(manifest)
  if (parsed.success && !wrong) return parsed.data
  const issue = parsed.error?.issues[0]
  const what = issue ? `${issue.path.join('.')}: ${issue.message}` : `${wrong?.[0]} threshold: ${wrong?.[1]}`
  throw new CpnError('CPN_ERR_USAGE', `a model cannot have this ${what}`, {
    suggestions: ['Names have lower-case letters, digits, dots and dashes; thresholds are from 0 to 1.'],
  })
}

async function fromCatalogue(file: string, copy: string): Promise<ModelManifest> {
  const sha256 = await sha256File(copy)
  const known = catalogue().find((manifest) => manifest.sha256 === sha256)
  if (known) return known
  throw new CpnError('CPN_ERR_MODEL_DIGEST', `${file} is no model of the catalogue (sha256 ${sha256})`, {
    suggestions: ['Say what it is: --name NAME --family FAMILY --licence LICENCE, or --manifest FILE.'],
  })
}

function refuseTakenName(manifest: ModelManifest, known: ModelManifest[]): void {
  const { name, version, sha256 } = manifest
  const sameBytes = known.find((other) => other.sha256 === sha256 && (other.name !== name || other.version !== version))
  if (sameBytes) {
    throw new CpnError('CPN_ERR_MODEL_INVALID', `these bytes are known as ${sameBytes.name}@${sameBytes.version}`, {
      suggestions: [`Use that name, or run \`cpn models add FILE\` without details.`],
    })
  }
  if (known.some((other) => other.name === name && other.version === version && other.sha256 !== sha256)) {
    throw new CpnError('CPN_ERR_MODEL_INVALID', `${name}@${version} is the name of other bytes`, {
      suggestions: ['Choose another --name, or another version with --model-version.'],
    })
  }
}

function otherBytes(file: string, found: string, { name, sha256 }: ModelManifest): CpnError {
  return new CpnError('CPN_ERR_MODEL_DIGEST', `${file} has the sha256 ${found}, but ${name} has ${sha256}`, {
    suggestions: ['Get the file again, or correct the manifest if it is the file you want.'],
  })
}

function unreadable(file: string, reason: string): CpnError {
  return new CpnError('CPN_ERR_MODEL_MISSING', `${file} cannot be taken in: ${reason}`, {
    suggestions: ['Check the path and who may read the file.'],
  })
}
