import { createHash } from 'node:crypto'

/** A face on a contact sheet. */
export interface SheetFace {
  /** JPEG; undefined where the run kept none. */
  crop: Uint8Array | undefined
  /** Path of the photo, to read. */
  photo: string
  /** File that it leads to, beside the page. */
  file: string
}

const style = `
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; background: #fff; color: #222 }
ul { display: flex; flex-wrap: wrap; gap: 1rem; padding: 0; list-style: none }
li { width: 110px; font-size: 12px; overflow-wrap: anywhere }
a { color: inherit } img, .none { display: block; width: 110px; height: 110px; border-radius: 6px; background: #ddd }
code { background: #eee; padding: .1em .3em }
@media (prefers-color-scheme: dark) { body { background: #1b1b1b; color: #ddd } code { background: #333 } }
`
const policy = `default-src 'none'; img-src data:; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`

/**
 * A page that needs no other file and runs nothing: the faces of a group, each a link to its photo.
 * @param faces those that are shown
 * @param all how many there are
 */
export function contactSheet(group: string, faces: readonly SheetFace[], all: number): string {
  const more = all > faces.length ? `, of which these ${faces.length} are typical` : ''
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(group)}</title>
<style>${style}</style>
<h1>${escapeHtml(group)}</h1>
<p>${all} ${all === 1 ? 'face' : 'faces'}${more}. Who is it? <code>cpn people name ${escapeHtml(group)} NAME</code></p>
<ul>
${faces.map(item).join('\n')}
</ul>
</html>
`
}

function item({ crop, photo, file }: SheetFace): string {
  const name = escapeHtml(photo)
  const picture = crop
    ? `<img alt="" width="110" height="110" src="data:image/jpeg;base64,${Buffer.from(crop).toString('base64')}">`
    : '<span class="none"></span>'
  return `<li><a href="./${escapeHtml(encodeURIComponent(file.toWellFormed()))}">${picture}<bdi>${name}</bdi></a></li>`
}

const signs: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

const escapeHtml = (text: string): string => text.toWellFormed().replace(/[&<>"']/g, (sign) => signs[sign]!)
