import type { Context } from '../../common/context.ts'
import { sha256 } from '../../common/digest.ts'
import { CpnError } from '../../common/errors.ts'
import { encodeGallery } from '../../matching/gallery.ts'
import { type Match, Matcher } from '../../matching/match.ts'
import { isEmbedded } from '../../models/embedded.ts'
import type { PinnedModel } from '../../models/pipeline-version.ts'
import { galleryOf, type People, type Person } from '../../people/people.ts'
import type { ModelManifest } from '../../protocol/model.ts'
import type { Matching } from '../../protocol/pipeline.ts'

/** How faces get names in one command: nodes write them on pictures, the master into what it keeps. */
export interface Naming {
  matching: Matching
  /** The encoded gallery, for nodes. */
  gallery: Buffer
  /** Names for the faces of one photo, from their embeddings. */
  match(embeddings: readonly Float32Array[]): Match[]
}

/** Where a model says nothing of its own. */
const usualThreshold = 0.4
const usualMargin = 0.05
const fewPeople = 70
const perTenfold = 0.065

/** Lowest similarity that names a person out of many. */
export const identificationOf = ({ identification = usualThreshold }: ModelManifest['thresholds']): number =>
  identification

/** What naming has to know of the model that embeds faces. */
export type EmbedderFacts = Pick<ModelManifest, 'name' | 'version' | 'sha256' | 'thresholds'>

/** Undefined when nobody is enrolled, or with another model, which is told. */
export function namingOf(
  people: People,
  embedder: EmbedderFacts,
  threshold: number | undefined,
  { notice }: Pick<Context, 'notice'>,
): Naming | undefined {
  const found = galleryOf(people)
  if (!found) return undefined
  if (found.model !== embedder.sha256) {
    notice(`nobody gets a name: ${noticeOf(otherModel(people, embedder))}`)
    return undefined
  }
  const gallery = encodeGallery(found)
  const { margin = usualMargin } = embedder.thresholds
  const lowest = threshold ?? thresholdFor(found.people.length, identificationOf(embedder.thresholds))
  const matching = { gallery: sha256(gallery), threshold: lowest, margin }
  const matcher = new Matcher(found)
  return { matching, gallery, match: (embeddings) => matcher.match(embeddings, matching) }
}

/**
 * The more people are enrolled, the likelier is a stranger like one of them. So that about one stranger in a hundred gets a
 * name at most, the threshold for up to 70 people grows by 0.065 with every tenfold: on lfw-a-train, MobileFaceNet, one
 * in a hundred is at 0.40 for 69 people, 0.42 for 200, 0.46 for 600 and 0.48 for 1,000.
 */
export function thresholdFor(people: number, identification: number): number {
  const more = Math.max(0, Math.log10(people / fewPeople)) * perTenfold
  return Math.round((identification + more) * 1000) / 1000
}

/** Embeddings of two models have nothing to do with each other. */
export function otherModel({ model, people }: People, embedder: EmbedderFacts): CpnError {
  const message = `people are enrolled with ${model?.name}@${model?.version}, and faces are embedded with ${embedder.name}@${embedder.version}`
  return new CpnError('CPN_ERR_GALLERY_MODEL', message, {
    suggestions: waysBack(model!, embedder, people),
  })
}

const shownNames = 10

function waysBack(model: PinnedModel, embedder: EmbedderFacts, people: readonly Person[]): string[] {
  const names = people.slice(0, shownNames).map(({ name }) => name)
  const all =
    people.length > shownNames ? `${names.join(', ')} and ${people.length - shownNames} more` : names.join(', ')
  const again = (pipeline: string) => `Or enrol them again (${all}): cpn people add NAME PHOTO… --pipeline ${pipeline}`
  if (isEmbedded(model)) return ['Have them recognised with --pipeline persons-lite.', again('persons')]
  if (isEmbedded(embedder)) return ['Have them recognised by persons: cpn models pull persons', again('persons-lite')]
  return ['Go back to the model they were enrolled with, or remove them and enrol them again.']
}

/** What an error says, and what to do, for a notice. */
export const noticeOf = ({ message, suggestions }: CpnError): string =>
  [message, ...suggestions.map((suggestion) => `  → ${suggestion}`)].join('\n')
