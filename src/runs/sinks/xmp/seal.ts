import { sha256 } from '../../../common/digest.ts'
import type { QName } from './namespaces.ts'
import { XmpPacket } from './packet.ts'

/** SHA-256 of the packet as we wrote it, in which this is empty. */
const sealed: QName = 'cpn:Sealed'

/** The packet with a note by which it is known again as long as nobody else has changed it. */
export function seal(text: string): string {
  const packet = new XmpPacket(text)
  packet.remove(sealed)
  const note = packet.add(sealed)
  note.textContent = sha256(packet.toString())
  return packet.toString()
}

/** True for a packet that is as we sealed it. Throws an error with a reason for what is no XMP. */
export function isAsSealed(text: string): boolean {
  const packet = new XmpPacket(text)
  const note = packet.element(sealed)
  if (!note) return false
  const digest = note.textContent
  note.textContent = ''
  return sha256(packet.toString()) === digest
}
