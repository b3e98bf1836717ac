/** First bytes of raw photos that are no TIFF; `.` stands for any byte. */
const starts = [
  'FUJIFILMCCD-RAW',
  '....ftypcrx ',
  // Olympus and Panasonic: TIFF with a number of their own.
  'IIRO',
  'IIRS',
  'MMOR',
  'IIU\0',
  // Canon CR2.
  'II*\0....CR',
]

const tag = { photometric: 262, subDirectories: 330, dngVersion: 50706 }
/** PhotometricInterpretation of what a sensor saw: mosaic, or linear raw. */
const sensorPixels = new Set([32_803, 34_892])
/** A camera writes a handful; a hostile file may name any number. */
const mostDirectories = 16

/**
 * True for a camera's raw photo, told by content: CR2, CR3, RAF, ORF, RW2, and what is a TIFF with a sensor's pixels in
 * it (DNG, NEF, ARW, PEF, SRW). Master and node both ask, so that they agree. Throws nothing, whatever the bytes are.
 */
export function isRawPhoto(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const head = file.toString('latin1', 0, 16)
  return starts.some((start) => matches(head, start)) || (/^(II\*\0|MM\0\*)/.test(head) && holdsSensorPixels(file))
}

function matches(head: string, start: string): boolean {
  return [...start].every((char, index) => char === '.' || char === head[index])
}

/** Looks through the directories of a TIFF, the first one's first. */
function holdsSensorPixels(file: Buffer): boolean {
  const little = file[0] === 0x49
  const read16 = (at: number) => (little ? file.readUInt16LE(at) : file.readUInt16BE(at))
  const read32 = (at: number) => (little ? file.readUInt32LE(at) : file.readUInt32BE(at))
  if (file.length < 8) return false
  const places = [read32(4)]
  for (let index = 0; index < Math.min(places.length, mostDirectories); index++) {
    const place = places[index]!
    if (place < 8 || place + 2 > file.length) continue
    const end = place + 2 + 12 * read16(place)
    for (let at = place + 2; at + 12 <= Math.min(end, file.length); at += 12) {
      const [name, count] = [read16(at), read32(at + 4)]
      if (name === tag.dngVersion) return true
      if (name === tag.photometric && sensorPixels.has(read16(at + 8))) return true
      if (name !== tag.subDirectories) continue
      const list = count === 1 ? at + 8 : read32(at + 8)
      for (let each = list; each < list + 4 * Math.min(count, mostDirectories) && each + 4 <= file.length; each += 4)
        places.push(read32(each))
    }
    if (end + 4 <= file.length && read32(end) !== 0) places.push(read32(end))
  }
  return false
}
