import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { pages, readPage } from '../helpers/documented/blocks.ts'
import { repositoryRoot } from '../helpers/shared.ts'

test('links between pages lead to files and headings that are there', () => {
  const broken = pages.flatMap((page) =>
    linksOf(page)
      .filter((link) => !leadsSomewhere(page, link))
      .map((link) => `${page}: ${link}`),
  )
  assert.deepEqual(broken, [])
})

/** Targets of `[…](…)` outside of code. */
function linksOf(page: string): string[] {
  const prose = readPage(page)
    .replace(/^ *```[\s\S]*?^ *```$/gm, '')
    .replace(/`[^`]*`/g, '')
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!)
  return links.filter((target) => !/^[a-z]+:/.test(target))
}

function leadsSomewhere(page: string, link: string): boolean {
  const [file, heading] = link.split('#') as [string, string?]
  const path = file === '' ? page : normalize(join(dirname(page), file))
  if (!existsSync(join(repositoryRoot, path))) return false
  return heading === undefined || headingsOf(path).includes(heading)
}

/** As GitHub makes anchors of headings. */
function headingsOf(path: string): string[] {
  const text = readFileSync(join(repositoryRoot, path), 'utf8')
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  )
}
