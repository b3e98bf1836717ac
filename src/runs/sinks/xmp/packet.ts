import { DOMParser, type Document, type Element, type Node, XMLSerializer } from '@xmldom/xmldom'
import { namespaces, type QName, splitName } from './namespaces.ts'

const xmlns = 'http://www.w3.org/2000/xmlns/'
const empty = `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="${namespaces.x}">
 <rdf:RDF xmlns:rdf="${namespaces.rdf}">
  <rdf:Description rdf:about=""/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
`

/** An XMP packet. What is not changed through it comes out of it as it went in. */
export class XmpPacket {
  readonly #document: Document
  readonly #rdf: Element

  /** Throws an error with a reason for what is no XMP. */
  constructor(text = empty) {
    this.#document = parse(text)
    const root = this.#document.documentElement
    const rdf = root && (isNamed(root, 'rdf:RDF') ? root : childNamed(root, 'rdf:RDF'))
    if (!rdf) throw new Error('it is XML, but not XMP')
    this.#rdf = rdf
  }

  toString(): string {
    return new XMLSerializer().serializeToString(this.#document)
  }

  /** The value of a simple property, or the element of any other. */
  text(name: QName): string | undefined {
    for (const description of this.#descriptions()) {
      const value = textOf(description, name)
      if (value !== undefined) return value
    }
    return undefined
  }

  element(name: QName): Element | undefined {
    for (const description of this.#descriptions()) {
      const found = childNamed(description, name)
      if (found) return found
    }
    return undefined
  }

  /** Adds a property; the caller knows that there is none of that name. */
  add(name: QName, content?: string): Element {
    let [description] = this.#descriptions()
    if (!description) {
      description = append(this.#rdf, 'rdf:Description')
      description.setAttributeNS(namespaces.rdf, `${description.prefix}:about`, '')
    }
    return append(description, name, content)
  }

  /** The items of an array property. */
  items(name: QName): Element[] {
    const list = this.element(name)
    return list ? itemsOf(list) : []
  }

  addItem(name: QName, kind: 'Bag' | 'Seq', text: string): void {
    const property = this.element(name) ?? this.add(name)
    append(childElements(property)[0] ?? newArray(property, kind), 'rdf:li', text)
  }

  /** Removes the items that are named, and with the last one the property. */
  removeItems(name: QName, isOne: (item: Element) => boolean): void {
    const property = this.element(name)
    const gone = property ? itemsOf(property).filter(isOne) : []
    for (const item of gone) remove(item)
    if (property && gone.length > 0 && itemsOf(property).length === 0) remove(property)
  }

  remove(name: QName): void {
    const property = this.element(name)
    if (property) remove(property)
  }

  #descriptions(): Element[] {
    return childElements(this.#rdf).filter((child) => isNamed(child, 'rdf:Description'))
  }
}

/** Items of an rdf:Bag, rdf:Seq or rdf:Alt that a property holds; RDF numbers them or leaves that to the reader. */
export function itemsOf(property: Element): Element[] {
  const [array] = childElements(property)
  return array ? childElements(array).filter(isItem) : []
}

const isItem = ({ namespaceURI, localName }: Element) =>
  namespaceURI === namespaces.rdf && /^(?:li|_\d+)$/.test(localName ?? '')

/** The array of a property that has none; where it was a plain text instead, that is the first item. */
function newArray(property: Element, kind: 'Bag' | 'Seq'): Element {
  const text = property.textContent?.trim()
  if (!text) return append(property, `rdf:${kind}`)
  property.textContent = ''
  const array = append(property, `rdf:${kind}`)
  append(array, 'rdf:li', text)
  return array
}

/** A field of a structure, in any of the forms that RDF has for it: undefined where there is none. */
export function textOf(structure: Element, name: QName): string | undefined {
  const { uri, local } = splitName(name)
  const holder = holderOf(structure)
  return holder.getAttributeNS(uri, local) ?? childNamed(holder, name)?.textContent ?? undefined
}

/** The element with a structure's fields: itself, or the rdf:Description in it. */
export function holderOf(structure: Element): Element {
  return childNamed(structure, 'rdf:Description') ?? structure
}

export function childNamed(parent: Element, name: QName): Element | undefined {
  return childElements(parent).find((child) => isNamed(child, name))
}

/** Adds an element on a line of its own, under the prefix that its namespace has there. */
export function append(parent: Element, name: QName, content?: string): Element {
  const document = parent.ownerDocument!
  const child = document.createElementNS(splitName(name).uri, `${prefixAt(parent, name)}:${splitName(name).local}`)
  if (content !== undefined) child.appendChild(document.createTextNode(content))
  const last = parent.lastChild
  if (last && isSpace(last)) parent.removeChild(last)
  parent.appendChild(document.createTextNode(`\n${' '.repeat(depth(parent) + 1)}`))
  parent.appendChild(child)
  parent.appendChild(document.createTextNode(`\n${' '.repeat(depth(parent))}`))
  return child
}

/** Adds a structure whose fields follow as elements. */
export function appendStructure(parent: Element, name: QName): Element {
  return asStructure(append(parent, name))
}

/** Lets the elements that are added to a new element be fields of a structure. */
export function asStructure(element: Element): Element {
  element.setAttributeNS(namespaces.rdf, `${prefixAt(element, 'rdf:li')}:parseType`, 'Resource')
  return element
}

/** Removes an element with the line it is on. */
export function remove(element: Element): void {
  const before = element.previousSibling
  if (before && isSpace(before)) before.parentNode?.removeChild(before)
  element.parentNode?.removeChild(element)
}

function prefixAt(element: Element, name: QName): string {
  const { prefix, uri } = splitName(name)
  const known = element.lookupPrefix(uri)
  if (known) return known
  let free: string = prefix
  for (let next = 2; (element.lookupNamespaceURI(free) ?? uri) !== uri; next++) free = `${prefix}${next}`
  const description = ancestorNamed(element, 'rdf:Description') ?? element
  description.setAttributeNS(xmlns, `xmlns:${free}`, uri)
  return free
}

/** The outermost one: a namespace is declared once for all that is in it. */
function ancestorNamed(element: Element, name: QName): Element | undefined {
  let found: Element | undefined
  for (let node: Node | null = element; node; node = node.parentNode) {
    if (node.nodeType === node.ELEMENT_NODE && isNamed(node as Element, name)) found = node as Element
  }
  return found
}

function parse(text: string): Document {
  // The parser mends what it can; what has to be mended is no XML.
  let reason: string | undefined
  const onError = (level: 'warning' | 'error' | 'fatalError', message: string) => {
    if (level !== 'warning') reason ??= message.split('\n')[0]
  }
  try {
    const document = new DOMParser({ locator: false, onError }).parseFromString(text, 'application/xml')
    if (reason === undefined) return document
  } catch (cause) {
    reason ??= (cause as Error).message
  }
  throw new Error(`it is no XML: ${reason}`)
}

function isNamed(element: Element, name: QName): boolean {
  const { uri, local } = splitName(name)
  return element.namespaceURI === uri && element.localName === local
}

function childElements(parent: Element): Element[] {
  return Array.from(parent.childNodes).filter((node): node is Element => node.nodeType === node.ELEMENT_NODE)
}

const isSpace = (node: Node) => node.nodeType === node.TEXT_NODE && (node.nodeValue ?? '').trim() === ''

function depth(element: Element): number {
  let count = 0
  for (let node = element.parentNode; node && node.nodeType === node.ELEMENT_NODE; node = node.parentNode) count++
  return count
}
