import type { Context } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { groupName } from '../../people/group-names.ts'
import { enrolled, isClear, judgeFace } from '../../people/judge-photo.ts'
import type { EnrolledPhoto, People, Person } from '../../people/people.ts'
import { PeopleStore } from '../../people/people-store.ts'
import { personName } from '../../people/person-name.ts'
import { typicalFaces } from '../../people/typical-faces.ts'
import type { FaceGroup } from '../../runs/group-ledger.ts'
import { type AppliedRun, applyToLockedRun } from './apply-people.ts'
import { assertModel, findPerson, likenessOf, modelOf, withPerson } from './people.ts'
import { type OpenGroups, openGroups, requireGroup } from './unknown-groups.ts'

export interface NameGroupOptions {
  inventory: Inventory
  /** Id of a run, or `last`. */
  run: string
  /** unknown-001 */
  group: string
  name: string
  /** Host patterns for pictures that are drawn anew; empty means all. */
  hosts: string[]
  /** Takes faces that would be refused. */
  force: boolean
}

export interface NamedGroup {
  group: string
  name: string
  /** Faces that were enrolled, and photos that the person has now. */
  taken: number
  photos: number
  /** Why other typical faces of the group were not taken. */
  refused: { photo: string; reason: string }[]
  /** Faces of the group, and those that did not get the name: they are too little like the typical ones. */
  faces: number
  left: number
  applied: AppliedRun
}

/** Faces that somebody is known by at most; more make matching slower, and hardly better. */
const mostTaken = 20

/**
 * Enrols somebody by the most typical faces of a group, and names the faces of the run anew by that. Faces that would name
 * people wrongly are refused as those of `addPerson`. Rejects with CPN_ERR_PERSON_NAME, CPN_ERR_PERSON_UNKNOWN,
 * CPN_ERR_ENROLMENT where no face was taken, CPN_ERR_GALLERY_*, and as `applyPeople`.
 */
export async function nameGroup(options: NameGroupOptions, ctx: Context): Promise<NamedGroup> {
  const name = personName(options.name)
  using parts = await openGroups(options.inventory, options.run, 'change', ctx)
  const { state, ledger, groups, run, embedder } = parts
  const group = requireGroup(groups.groups(run.id), options.group, run)
  const candidates = typicalPhotos(parts, group)
  const refused: NamedGroup['refused'] = []
  let taken = 0
  const people = await new PeopleStore(state.peopleDir).update((before) => {
    assertModel(before, embedder)
    const person = enrol(before, name, candidates, likenessOf(embedder), options.force, (photo, reason) =>
      refused.push({ photo: photoOf(photo), reason }),
    )
    taken = candidates.length - refused.length
    return person ? withPerson({ ...before, model: modelOf(embedder) }, person) : before
  })
  if (taken === 0) throw nothingTaken(group, name, refused[0]?.reason ?? 'none is clear enough')
  const { inventory, hosts } = options
  const applied = await applyToLockedRun(run, { inventory, hosts, threshold: undefined, state, people, ledger }, ctx)
  const isLeft = ({ job, face }: FaceGroup['faces'][number]) =>
    groups.facesOf(run.id, job).faces[face]?.person !== findPerson(people, name)?.name
  return {
    group: groupName(group.number),
    name: findPerson(people, name)?.name ?? name,
    taken,
    photos: findPerson(people, name)?.photos.length ?? 0,
    refused,
    faces: group.faces.length,
    left: group.faces.filter(isLeft).length,
    applied,
  }

  function photoOf({ sha256 }: EnrolledPhoto): string {
    return ledger.inputsOf(run.id, sha256)[0]?.name ?? sha256
  }
}

function typicalPhotos({ groups, run }: OpenGroups, { number, faces }: FaceGroup): EnrolledPhoto[] {
  const source = `${groupName(number)} of run ${run.id}`
  const clear = faces.flatMap(({ job, face }) => {
    const { faces, embeddings } = groups.facesOf(run.id, job)
    const seen = { source, sha256: job, faces: faces.map((each, i) => ({ ...each, embedding: embeddings[i]! })) }
    return isClear(faces[face]!) ? enrolled(seen, face) : []
  })
  return typicalFaces(clear, mostTaken)
}

function enrol(
  before: People,
  name: string,
  candidates: readonly EnrolledPhoto[],
  likeness: number,
  force: boolean,
  refuse: (photo: EnrolledPhoto, reason: string) => void,
): Person | undefined {
  const known = findPerson(before, name)
  const others = before.people.filter((person) => person !== known)
  let own = known
  for (const photo of candidates) {
    const judgement = judgeFace(photo, own, others, { likeness }, force)
    if ('refused' in judgement) {
      refuse(photo, `${judgement.refused}${judgement.forcible ? ' (--force takes it)' : ''}`)
    } else {
      own = { name: known?.name ?? name, photos: [...(own?.photos ?? []), judgement.photo] }
    }
  }
  return own === known ? undefined : own
}

function nothingTaken({ number }: FaceGroup, name: string, reason: string): CpnError {
  return new CpnError('CPN_ERR_ENROLMENT', `no face of ${groupName(number)} was taken for ${name}: ${reason}`, {
    suggestions: [`See who it looks like on the contact sheet; if it is ${name} all the same, use --force.`],
  })
}
