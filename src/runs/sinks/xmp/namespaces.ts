export const namespaces = {
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  x: 'adobe:ns:meta/',
  'mwg-rs': 'http://www.metadataworkinggroup.com/schemas/regions/',
  stDim: 'http://ns.adobe.com/xap/1.0/sType/Dimensions#',
  stArea: 'http://ns.adobe.com/xmp/sType/Area#',
  dc: 'http://purl.org/dc/elements/1.1/',
  digiKam: 'http://www.digikam.org/ns/1.0/',
  lr: 'http://ns.adobe.com/lightroom/1.0/',
  Iptc4xmpExt: 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/',
  photoshop: 'http://ns.adobe.com/photoshop/1.0/',
  /** Ours: what tells our entries from those of others. */
  cpn: 'https://cpn.invalid/xmp/1.0/',
} as const

/** `prefix:name`, as XMP's specifications write it. */
export type QName = `${keyof typeof namespaces}:${string}`

export function splitName(name: QName): { prefix: keyof typeof namespaces; local: string; uri: string } {
  const [prefix, local] = name.split(':') as [keyof typeof namespaces, string]
  return { prefix, local, uri: namespaces[prefix] }
}
