import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ToldFace } from '../../../../../src/runs/sinks/told-face.ts'
import { mergeFaces } from '../../../../../src/runs/sinks/xmp/merge.ts'
import { namedFace } from '../../../../helpers/recorded-results.ts'

const picture = (...faces: ToldFace[]) => ({ width: 400, height: 200, orientation: 1, faces })
const ann = namedFace([100, 50, 40, 40], 'Ann')
const ben = namedFace([300, 50, 40, 40], 'Ben')

/** As Lightroom writes: attributes, a history, things in namespaces nobody else knows, a comment, CDATA. */
const developed = `<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0-c000">
 <!-- kept -->
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:own="http://example.org/own/"
   xmp:Rating="4"
   crs:Exposure2012="+1.25"
   crs:ToneCurveName2012="Linear &amp; &quot;flat&quot;">
   <crs:ToneCurvePV2012><rdf:Seq><rdf:li>0, 0</rdf:li><rdf:li>255, 255</rdf:li></rdf:Seq></crs:ToneCurvePV2012>
   <dc:subject><rdf:Bag><rdf:li>holiday</rdf:li><rdf:li>Ann</rdf:li></rdf:Bag></dc:subject>
   <own:thing own:a="1"><![CDATA[a < b]]></own:thing>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>`

const regionOf = (
  name: string,
  [x, y, w, h]: number[],
) => `<rdf:li><rdf:Description mwg-rs:Name="${name}" mwg-rs:Type="Face">
  <mwg-rs:Area stArea:x="${x}" stArea:y="${y}" stArea:w="${w}" stArea:h="${h}" stArea:unit="normalized"/>
</rdf:Description></rdf:li>`

const withRegions = (...regions: string[]) => `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
  xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"><mwg-rs:Regions><rdf:Description><mwg-rs:RegionList><rdf:Seq>
${regions.join('\n')}
</rdf:Seq></mwg-rs:RegionList></rdf:Description></mwg-rs:Regions></rdf:Description></rdf:RDF>`

const count = (text: string, part: string) => text.split(part).length - 1

test('what is in a packet stays in it, to the letter', () => {
  const merged = mergeFaces(developed, picture(ann))!
  for (const part of [
    'crs:Exposure2012="+1.25"',
    'crs:ToneCurveName2012="Linear &amp; &quot;flat&quot;"',
    'xmp:Rating="4"',
    '<crs:ToneCurvePV2012><rdf:Seq><rdf:li>0, 0</rdf:li><rdf:li>255, 255</rdf:li></rdf:Seq></crs:ToneCurvePV2012>',
    '<own:thing own:a="1"><![CDATA[a < b]]></own:thing>',
    '<!-- kept -->',
    'x:xmptk="Adobe XMP Core 7.0-c000"',
  ]) {
    assert.ok(merged.includes(part), `${part} is not in ${merged}`)
  }
})

test('the same faces once more change nothing, other faces take the place of ours', () => {
  const once = mergeFaces(developed, picture(ann, ben))!
  assert.equal(mergeFaces(once, picture(ann, ben)), once)
  const other = mergeFaces(once, picture(ben))!
  assert.equal(count(other, '<mwg-rs:Name>'), 1)
  assert.equal(count(other, '>People/Ann<'), 0)
  // Somebody else had noted Ann as a keyword already.
  assert.equal(count(other, '<rdf:li>Ann</rdf:li>'), 1)
})

test('nothing of ours is left when no face is', () => {
  const merged = mergeFaces(mergeFaces(developed, picture(ann, namedFace([10, 10, 20, 20])))!, picture())!
  assert.doesNotMatch(merged, /mwg-rs:|stArea:|digiKam:[A-Z]|lr:[a-z]+>|cpn:[A-Z]|PersonInImage/)
  assert.match(merged, /<rdf:li>holiday<\/rdf:li><rdf:li>Ann<\/rdf:li>/)
})

test('a packet that says nothing of ours is not touched for a picture without faces', () => {
  assert.equal(mergeFaces(developed, picture()), developed)
  assert.equal(mergeFaces(undefined, picture()), undefined)
})

test('regions of others stay, and one for the same face takes the place of ours', () => {
  const before = withRegions(regionOf('Anna Maria', [0.3, 0.35, 0.1, 0.2]), regionOf('Dog', [0.1, 0.1, 0.1, 0.1]))
  const merged = mergeFaces(before, picture(ann, ben))!
  assert.equal(count(merged, 'mwg-rs:Name="Anna Maria"'), 1)
  assert.equal(count(merged, 'mwg-rs:Name="Dog"'), 1)
  assert.equal(count(merged, '<mwg-rs:Name>Ben</mwg-rs:Name>'), 1)
  assert.equal(count(merged, 'Ann<'), 0)
  assert.equal(mergeFaces(merged, picture(ann, ben)), merged)
})

test('a region of ours that somebody renamed is theirs', () => {
  const renamed = mergeFaces(undefined, picture(ann))!.replace('<mwg-rs:Name>Ann<', '<mwg-rs:Name>Anne-Marie<')
  const merged = mergeFaces(renamed, picture(ann))!
  assert.equal(count(merged, '<mwg-rs:Name>'), 1)
  assert.equal(count(merged, '<mwg-rs:Name>Anne-Marie<'), 1)
  assert.equal(count(mergeFaces(merged, picture())!, '<mwg-rs:Name>Anne-Marie<'), 1)
})

test('names that XML cannot write, and its own characters, come out as text', () => {
  const merged = mergeFaces(undefined, picture(namedFace([1, 1, 9, 9], '<b>&"\u0000\ud800]]>')))!
  assert.match(merged, /<mwg-rs:Name>&lt;b&gt;&amp;"\ufffd\ufffd\]\]&gt;<\/mwg-rs:Name>/)
  assert.equal(mergeFaces(merged, picture(namedFace([1, 1, 9, 9], '<b>&"\u0000\ud800]]>'))), merged)
})

test('a prefix that means something else there is not taken', () => {
  const strange = developed.replace('xmlns:own=', 'xmlns:mwg-rs="http://example.org/other/" xmlns:own=')
  const merged = mergeFaces(strange, picture(ann))!
  assert.match(merged, /xmlns:mwg-rs2="http:\/\/www\.metadataworkinggroup\.com\/schemas\/regions\/"/)
  assert.equal(mergeFaces(merged, picture(ann)), merged)
})

for (const [what, text, reason] of [
  ['no XML', 'Rating: 4', /^Error: it is no XML: /],
  ['XML that ends early', developed.slice(0, -30), /^Error: it is no XML: /],
  ['another kind of XML', '<svg xmlns="http://www.w3.org/2000/svg"/>', /^Error: it is XML, but not XMP/],
  ['nothing', '', /^Error: it is no XML: /],
] as const) {
  test(`${what} is refused`, () => assert.throws(() => mergeFaces(text, picture(ann)), reason))
}

test('photo.xmp of another file of that name is refused', () => {
  const raw = developed.replace(
    'xmp:Rating="4"',
    'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:SidecarForExtension="CR2"',
  )
  assert.throws(() => mergeFaces(raw, picture(ann), { sidecarForExtension: 'jpg' }), /belongs to the \.CR2 file/)
  assert.equal(mergeFaces(raw, picture(), { sidecarForExtension: 'jpg' }), raw)
  assert.match(mergeFaces(raw, picture(ann), { sidecarForExtension: 'cr2' })!, /<mwg-rs:Name>Ann</)
  assert.match(mergeFaces(developed, picture(ann), { sidecarForExtension: 'jpg' })!, /SidecarForExtension>jpg</)
})

const keywords = (inside: string) =>
  developed.replace(/<dc:subject>.*<\/dc:subject>/, `<dc:subject>${inside}</dc:subject>`)

for (const inside of ['holiday', '<rdf:Bag><rdf:_1>holiday</rdf:_1></rdf:Bag>']) {
  test(`keywords in another form stay when ours come and go: ${inside}`, () => {
    const merged = mergeFaces(keywords(inside), picture(ann))!
    assert.match(merged, /<dc:subject>\s*<rdf:Bag>\s*<(rdf:\S+)>holiday<\/\1>\s*<rdf:li>Ann<\/rdf:li>\s*<\/rdf:Bag>/)
    assert.equal(mergeFaces(merged, picture(ann)), merged)
    assert.match(mergeFaces(merged, picture())!, /<(rdf:\S+)>holiday<\/\1>\s*<\/rdf:Bag>\s*<\/dc:subject>/)
    // Without a name nothing is to be added to them.
    assert.ok(mergeFaces(keywords(inside), picture(namedFace([10, 10, 20, 20])))!.includes(`<dc:subject>${inside}<`))
  })
}

test('where a picture’s orientation is not known, names are noted and no regions, those of others stay', () => {
  const unknown = (...faces: ToldFace[]) => ({ ...picture(...faces), orientation: undefined })
  assert.equal(mergeFaces(undefined, unknown(namedFace([10, 10, 20, 20]))), undefined)
  const earlier = mergeFaces(withRegions(regionOf('Cem', [0.9, 0.9, 0.1, 0.1])), picture(ann))!
  const merged = mergeFaces(earlier, unknown(ann))!
  assert.match(merged, /<rdf:li>Ann<\/rdf:li>/)
  assert.deepEqual([count(merged, 'mwg-rs:Type="Face"'), count(merged, '<mwg-rs:Name>Ann<')], [1, 0])
})
