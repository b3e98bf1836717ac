import type { Element } from '@xmldom/xmldom'
import type { ToldFace } from '../told-face.ts'
import { type Area, overlap, type Size, storedArea, storedSize } from './area.ts'
import type { QName } from './namespaces.ts'
import {
  append,
  appendStructure,
  asStructure,
  childNamed,
  holderOf,
  itemsOf,
  remove,
  textOf,
  XmpPacket,
} from './packet.ts'

export interface PictureFaces extends Size {
  faces: readonly ToldFace[]
  /**
   * EXIF orientation of the file, 1 to 8. `width` and `height` are of the upright picture. Where it is not known, names are
   * noted, but no regions: they would be in the wrong place.
   */
  orientation: number | undefined
}

export interface MergeOptions {
  /** Of a picture whose sidecar may be that of another: photo.xmp of photo.jpg or of photo.cr2, as Adobe notes in it. */
  sidecarForExtension?: string
}

/** Field of a region that we wrote: what we wrote. One that was renamed or moved since then belongs to whoever did that. */
const written: QName = 'cpn:Written'
/** Array of the entries that we added to lists of keywords. */
const keywordsOfOurs: QName = 'cpn:Keywords'
/** From this overlap on two regions are of one face. */
const sameFace = 0.5

/** Where programs look for the people on a picture, and how each writes a name. */
const keywordLists: { list: QName; kind: 'Bag' | 'Seq'; entry: (person: string) => string }[] = [
  { list: 'dc:subject', kind: 'Bag', entry: (person) => person },
  { list: 'Iptc4xmpExt:PersonInImage', kind: 'Bag', entry: (person) => person },
  { list: 'lr:hierarchicalSubject', kind: 'Bag', entry: (person) => `People|${person.replaceAll('|', '-')}` },
  { list: 'digiKam:TagsList', kind: 'Seq', entry: (person) => `People/${person.replaceAll('/', '-')}` },
]

/**
 * Puts the faces of a picture into its XMP in the place of what an earlier run put there. All else stays, and a region
 * that somebody else wrote for a face takes the place of ours: it may have been named by hand.
 * @param text the packet there is; undefined for none
 * @returns the new packet, undefined where none is needed
 * @throws an error with a reason when `text` is no XMP
 */
export function mergeFaces(
  text: string | undefined,
  { faces: found, orientation, ...size }: PictureFaces,
  { sidecarForExtension }: MergeOptions = {},
): string | undefined {
  const faces = orientation === undefined ? found.filter(({ person }) => person !== null) : found
  const picture = { ...size, faces, orientation }
  if (text === undefined && faces.length === 0) return undefined
  const packet = new XmpPacket(text)
  const noted = packet.text('photoshop:SidecarForExtension')
  if (sidecarForExtension !== undefined && noted !== undefined && !sameExtension(noted, sidecarForExtension)) {
    if (faces.length === 0) return text
    throw new Error(`it belongs to the .${noted} file of that name`)
  }
  const wasOurs = packet.element(keywordsOfOurs) !== undefined || ourRegions(packet).length > 0
  if (faces.length === 0 && !wasOurs) return text
  if (sidecarForExtension !== undefined && noted === undefined) {
    packet.add('photoshop:SidecarForExtension', sidecarForExtension)
  }
  removeKeywords(packet)
  addKeywords(packet, replaceRegions(packet, picture))
  return packet.toString()
}

const sameExtension = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()

/** @returns the faces that nobody else has a region for */
function replaceRegions(packet: XmpPacket, picture: PictureFaces): ToldFace[] {
  const { faces, orientation } = picture
  const ours = new Set(ourRegions(packet))
  for (const region of ours) remove(region)
  const others = regions(packet).map(areaOf)
  const found =
    orientation === undefined ? [] : faces.map((face) => ({ face, area: storedArea(face.box, picture, orientation) }))
  const fresh = found.filter(({ area }) => !others.some((other) => other && overlap(other, area) >= sameFace))
  const property = packet.element('mwg-rs:Regions')
  // Nobody else's are left: the size of the picture is ours, too.
  if (property && others.length === 0 && (ours.size > 0 || fresh.length > 0)) remove(property)
  if (orientation === undefined) return [...faces]
  if (fresh.length > 0) addRegions(packet, storedSize(picture, orientation), fresh)
  return fresh.map(({ face }) => face)
}

function addRegions(packet: XmpPacket, size: Size, fresh: { face: ToldFace; area: Area }[]): void {
  const property = packet.element('mwg-rs:Regions')
  const holder = property ? holderOf(property) : newRegions(packet, size)
  const list = childNamed(holder, 'mwg-rs:RegionList') ?? append(holder, 'mwg-rs:RegionList')
  const array = childNamed(list, 'rdf:Bag') ?? childNamed(list, 'rdf:Seq') ?? append(list, 'rdf:Bag')
  for (const { face, area } of fresh) addRegion(array, face, area)
}

function newRegions(packet: XmpPacket, { width, height }: Size): Element {
  const property = asStructure(packet.add('mwg-rs:Regions'))
  const size = appendStructure(property, 'mwg-rs:AppliedToDimensions')
  append(size, 'stDim:w', `${width}`)
  append(size, 'stDim:h', `${height}`)
  append(size, 'stDim:unit', 'pixel')
  return property
}

function addRegion(array: Element, { person }: ToldFace, { x, y, w, h }: Area): void {
  const region = appendStructure(array, 'rdf:li')
  if (person !== null) append(region, 'mwg-rs:Name', xmlText(person))
  append(region, 'mwg-rs:Type', 'Face')
  const area = appendStructure(region, 'mwg-rs:Area')
  for (const [name, value] of Object.entries({ x, y, w, h })) append(area, `stArea:${name}`, value.toFixed(6))
  append(area, 'stArea:unit', 'normalized')
  append(region, written, contentOf(region))
}

function regions(packet: XmpPacket): Element[] {
  const property = packet.element('mwg-rs:Regions')
  const list = property && childNamed(holderOf(property), 'mwg-rs:RegionList')
  return list ? itemsOf(list) : []
}

const ourRegions = (packet: XmpPacket) =>
  regions(packet).filter((region) => textOf(region, written) === contentOf(region))

/** Place and name, however another program may have spelt the numbers since. */
function contentOf(region: Element): string {
  const { x, y, w, h } = areaOf(region) ?? { x: 0, y: 0, w: 0, h: 0 }
  const place = [x, y, w, h].map((value) => value.toFixed(6)).join(' ')
  return `${place} ${textOf(region, 'mwg-rs:Name') ?? ''}`.trim()
}

/** Undefined for a region that is no rectangle. */
function areaOf(region: Element): Area | undefined {
  const area = childNamed(holderOf(region), 'mwg-rs:Area')
  const [x, y, w, h] = ['x', 'y', 'w', 'h'].map((name) => Number(area && textOf(area, `stArea:${name}`)))
  const found = { x: x!, y: y!, w: w!, h: h! }
  return Object.values(found).every(Number.isFinite) ? found : undefined
}

function removeKeywords(packet: XmpPacket): void {
  const added = new Set(packet.items(keywordsOfOurs).map((item) => item.textContent))
  for (const { list } of keywordLists)
    packet.removeItems(list, (item) => added.has(noted(list, item.textContent ?? '')))
  packet.removeItems(keywordsOfOurs, () => true)
}

/** Adds what is not there: an entry that somebody else made stays when ours go. */
function addKeywords(packet: XmpPacket, faces: readonly ToldFace[]): void {
  const people = new Set(faces.flatMap(({ person }) => (person === null ? [] : [xmlText(person)])))
  for (const person of [...people].sort()) {
    for (const { list, kind, entry } of keywordLists) {
      if (packet.items(list).some((item) => item.textContent === entry(person))) continue
      packet.addItem(list, kind, entry(person))
      packet.addItem(keywordsOfOurs, 'Bag', noted(list, entry(person)))
    }
  }
}

const noted = (list: QName, entry: string) => `${list}=${entry}`

/** XML has no way to write these. */
const xmlText = (text: string) => text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd')
