import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Recording, record, toAsciicast } from '../../../tools/record/asciicast.ts'
import { play, textOf } from '../../../tools/record/screen-lines.ts'
import { toSvg } from '../../../tools/record/svg.ts'

const recorded = (...events: [seconds: number, text: string][]): Recording => ({
  columns: 20,
  rows: 3,
  command: 'demo',
  events: events.map(([seconds, text]) => ({ seconds, text })),
  exitCode: 0,
})

test('what a command says on a terminal is written down in order, as players read it', async () => {
  const made = await record('test -t 1 && printf "\\033[1mbold\\033[0m" && exit 3', {
    columns: 40,
    rows: 10,
    cwd: '/',
    env: process.env,
  })
  assert.equal(made.exitCode, 3)
  const [header, ...lines] = toAsciicast(made)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.equal(header.version, 2)
  assert.deepEqual([header.width, header.height], [40, 10])
  const said = lines.map(([, , text]) => text).join('')
  assert.ok(said.startsWith('$ test -t 1'))
  assert.ok(said.endsWith('\u001b[1mbold\u001b[0m'))
})

test('a line that is written over has a piece for each of its texts, one after another', async () => {
  const { pieces, transcript } = await play(
    recorded([0, 'one\r\n  10 %'], [1.1, '\r  20 %'], [2.1, '\r\u001b[Kdone']),
    1,
  )
  const second = pieces.filter(({ line }) => line === 1)
  assert.deepEqual(
    second.map(({ from, to, runs }) => [from, to, textOf(runs)]),
    [
      [0, 2, '  10 %'],
      [2, 3, '  20 %'],
      [3, 3.1, 'done'],
    ],
  )
  assert.deepEqual(transcript, ['one', 'done'])
})

test('what has left the screen is told, and colours and cells are kept', async () => {
  const text = ['\u001b[31mred\u001b[0m 日本', 'b', 'c', 'd', 'e'].join('\r\n')
  const { scrolls, pieces } = await play(recorded([0, 'a'], [1, `\r${text}`]), 1)
  assert.deepEqual(scrolls, [
    { seconds: 0, lines: 0 },
    { seconds: 1, lines: 2 },
  ])
  const [red, plain] = pieces.find(({ line, from }) => line === 0 && from === 1)!.runs
  assert.deepEqual([red!.text, red!.colour], ['red', '#e06c75'])
  assert.deepEqual([plain!.text, plain!.column, plain!.cells], [' 日本', 3, 5])
})

test('the picture loads and runs nothing, shows the end where nothing moves, and can be read', async () => {
  const session = await play(recorded([0, '<a&b>'], [1, '\r\nlast']), 1)
  const svg = toSvg(session, { columns: 20, rows: 3, title: 'a "session"', speed: 2 })
  assert.doesNotMatch(svg, /<script|href|url\((?!#)|@import/)
  assert.match(svg, /&lt;a&amp;b&gt;/)
  assert.match(svg, /<title>a &quot;session&quot;<\/title>/)
  assert.match(svg, /<text class="l" style="animation-duration:0.5s"[^>]*><tspan[^>]*>last/)
})
