/** What the segment of a JPEG begins with that holds its XMP packet. Longer packets go on in segments of another kind. */
const signature = Buffer.from('http://ns.adobe.com/xap/1.0/\0', 'latin1')
const exifSignature = Buffer.from('Exif\0\0', 'latin1')
/** A segment's length, itself included, is a 16-bit number. */
const maxPacketBytes = 0xffff - 2 - signature.length

const startOfImage = 0xd8
const endOfImage = 0xd9
const startOfScan = 0xda
const app0 = 0xe0
const app1 = 0xe1

interface Segment {
  marker: number
  /** Of the whole segment, marker and fill bytes included. */
  start: number
  end: number
  content: Buffer
}

export function isJpeg(bytes: Buffer): boolean {
  return bytes.length > 4 && bytes[0] === 0xff && bytes[1] === startOfImage && bytes[2] === 0xff
}

/** The XMP packet of a JPEG. Throws an error with a reason where the file's segments are damaged. */
export function readPacket(jpeg: Buffer): string | undefined {
  const found = segmentsOf(jpeg).find(isXmp)
  return (
    found && new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(found.content.subarray(signature.length))
  )
}

/**
 * A JPEG with another XMP packet; every other byte is as it was.
 * @throws an error with a reason where the file's segments are damaged or the packet does not fit into one
 */
export function replacePacket(jpeg: Buffer, packet: string): Buffer {
  const text = Buffer.from(packet)
  if (text.length > maxPacketBytes)
    throw new Error(`its metadata would take more than a segment's ${maxPacketBytes} bytes`)
  const segments = segmentsOf(jpeg)
  const old = segments.find(isXmp)
  const at = old ?? { start: placeForXmp(segments), end: placeForXmp(segments) }
  const head = Buffer.from([0xff, app1, 0, 0])
  head.writeUInt16BE(2 + signature.length + text.length, 2)
  return Buffer.concat([jpeg.subarray(0, at.start), head, signature, text, jpeg.subarray(at.end)])
}

/** JFIF and EXIF come first, as their specifications want it. */
function placeForXmp(segments: readonly Segment[]): number {
  let place = 2
  for (const { marker, content, end } of segments) {
    if (marker !== app0 && !(marker === app1 && content.subarray(0, exifSignature.length).equals(exifSignature))) break
    place = end
  }
  return place
}

const isXmp = ({ marker, content }: Segment) =>
  marker === app1 && content.subarray(0, signature.length).equals(signature)

/** The segments before the picture's data. */
function segmentsOf(jpeg: Buffer): Segment[] {
  const segments: Segment[] = []
  for (let start = 2; ; ) {
    let at = start
    if (jpeg[at] !== 0xff) throw new Error('its segments are damaged')
    // Any number of fill bytes may stand before a marker.
    while (jpeg[at] === 0xff) at++
    const marker = jpeg[at]
    if (marker === startOfScan || marker === endOfImage) return segments
    if (marker === undefined || at + 3 > jpeg.length) throw new Error('its segments are damaged')
    const end = at + 1 + jpeg.readUInt16BE(at + 1)
    if (end > jpeg.length || end < at + 3) throw new Error('its segments are damaged')
    segments.push({ marker, start, end, content: jpeg.subarray(at + 3, end) })
    start = end
  }
}
