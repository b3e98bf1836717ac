import { createHash } from 'node:crypto'
import { basename, join, relative } from 'node:path'
import { CpnError } from '../common/errors.ts'
import { copyName } from '../runs/copy-name.ts'
import type { FaceGroup, FaceRef, GroupLedger, RunPhoto } from '../runs/group-ledger.ts'
import { contactSheet } from './contact-sheet.ts'
import { groupName } from './group-names.ts'
import type { WantedFolder } from './people-folder.ts'
import { personName } from './person-name.ts'
import { typicalFaces } from './typical-faces.ts'

/** Faces that a contact sheet shows at most: a browser opens a page of a megabyte at once. */
const shownFaces = 200

export interface FolderOptions {
  run: string
  /** Real path of the folder of the outputs. */
  out: string
  /** Name of the folder of people in it. */
  folder: string
  /** Whether photos have annotated copies; links lead to the originals otherwise. */
  annotated: boolean
}

/** Folders of everybody who is on a photo of the run, and of every group of faces that nobody knows. */
export function wantedFolders(ledger: GroupLedger, options: FolderOptions): WantedFolder[] {
  const groups = ledger.groups(options.run)
  const groupOf = new Map(groups.flatMap((group) => group.faces.map((face) => [keyOf(face), group] as const)))
  const people = new Map<string, RunPhoto[]>()
  const unknown = new Map<FaceGroup, RunPhoto[]>()
  for (const photo of ledger.photos(options.run)) {
    const { job, faces } = photo
    const names = new Set(faces.flatMap(({ person }) => (person && isFolderName(person) ? person : [])))
    for (const name of names) people.getOrInsertComputed(name, () => []).push(photo)
    const found = new Set(faces.flatMap((_, face) => groupOf.get(keyOf({ job, face })) ?? []))
    for (const group of found) unknown.getOrInsertComputed(group, () => []).push(photo)
  }
  return [
    ...[...people].map(([name, photos]): WantedFolder => ({ name, links: linksOf(name, photos, options) })),
    ...[...unknown].map(([group, photos]) => folderOfGroup(ledger, group, photos, options)),
  ]
}

function folderOfGroup(
  ledger: GroupLedger,
  group: FaceGroup,
  photos: RunPhoto[],
  options: FolderOptions,
): WantedFolder {
  const name = groupName(group.number)
  const position = new Map<string, number>()
  for (const [i, { job }] of photos.entries()) if (!position.has(job)) position.set(job, i)
  return {
    name,
    links: linksOf(name, photos, options),
    sheet: {
      key: createHash('sha256')
        .update(JSON.stringify([sheetVersion, name, group.faces]))
        .digest('hex'),
      html(names) {
        const some = typicalFaces(facesOf(ledger, options.run, group), shownFaces)
        const faces = some.map(({ ref: { job }, crop }) => {
          const at = position.get(job)!
          return { crop, photo: photos[at]!.name, file: names[at]! }
        })
        return contactSheet(name, faces, group.faces.length)
      },
    },
  }
}

/** Counts the forms that contact sheets had. */
const sheetVersion = 1

function facesOf(ledger: GroupLedger, run: string, { faces }: FaceGroup) {
  return faces.map((ref) => {
    const { embeddings, crops } = ledger.facesOf(run, ref.job)
    return { ref, embedding: embeddings[ref.face]!, crop: crops[ref.face] }
  })
}

function linksOf(folder: string, photos: RunPhoto[], { out, folder: people, annotated }: FolderOptions) {
  const from = join(out, people, folder)
  return photos.map(({ name, source }) => {
    const leadsTo = annotated ? join(out, copyName(name)) : source
    return { name: basename(leadsTo), target: relative(from, leadsTo) }
  })
}

/** A ledger may be older than what names may be. */
function isFolderName(name: string): boolean {
  try {
    return personName(name) === name
  } catch (error) {
    if (error instanceof CpnError) return false
    throw error
  }
}

const keyOf = ({ job, face }: FaceRef) => `${job} ${face}`
