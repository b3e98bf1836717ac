import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LabelledObject } from '../../../../src/runs/labelled.ts'
import { writeCsv } from '../../../../src/runs/sinks/csv.ts'
import type { ResultKind } from '../../../../src/runs/sinks/results.ts'
import { namedFace, type Recorded, RecordedRun } from '../../../helpers/recorded-results.ts'

test('there is a line for each face, each image without one and each failure', async () => {
  const lines = await csv([
    { name: 'b.jpg', faces: [namedFace([1, 2, 30.5, 40], 'Ann', 0.71), namedFace([5, 6, 7, 8])] },
    { name: 'a.jpg' },
    { name: 'c.jpg', error: { code: 'CPN_ERR_IMAGE_DECODE', message: 'it is cut off, "early"' } },
  ])
  const [header, ...rows] = lines.map((line) => line.split(','))
  const column = (name: string) => rows.map((row) => row[header!.indexOf(name)])
  assert.deepEqual(column('path'), ['a.jpg', 'b.jpg', 'b.jpg', 'c.jpg'])
  assert.deepEqual(column('state'), ['done', 'done', 'done', 'failed'])
  assert.deepEqual(column('number'), ['', '1', '2', ''])
  assert.deepEqual(column('box_width'), ['', '30.5', '7', ''])
  assert.deepEqual(column('person'), ['', 'Ann', '', ''])
  assert.deepEqual(column('similarity'), ['', '0.71', '', ''])
  assert.match(lines.at(-1)!, /,CPN_ERR_IMAGE_DECODE,"it is cut off, ""early"""$/)
})

test('no name is a formula to a spreadsheet, and each can be had back', async () => {
  const names = ['=1+1.jpg', '+a.jpg', '-b.jpg', '@c.jpg', "'d.jpg", '＝e.jpg', '\tf.jpg', 'plain.jpg']
  const lines = await csv(names.map((name) => ({ name })))
  const cells = lines.slice(1).map((line) => line.split(',')[0]!)
  for (const cell of cells) assert.doesNotMatch(cell, /^[=+\-@＝\t]/)
  assert.deepEqual(cells.map((cell) => cell.replace(/^'/, '')).sort(), [...names].sort())
})

test('a name with a line break, quotes and commas is one cell', async () => {
  using run = new RecordedRun([{ name: 'a,"b"\r\nc.jpg', faces: [namedFace([-3, 0, 9, 9], 'Zoë, "Z"\n')] }])
  await writeCsv(run.results)
  const text = readFileSync(join(run.out, 'predictions.csv'), 'utf8')
  assert.match(text, /\r\n"a,""b""\r\nc\.jpg",[0-9a-f]{64},done,400,300,1,-3,0,9,9,0\.9,,"Zoë, ""Z""\n",0\.5,,\r\n$/)
})

test('objects and labels have a line each under the header that faces have', async () => {
  const objects: LabelledObject[] = [
    { box: [10, 20, 300, 200], score: 0.95, label: 'bus' },
    { box: [1, 2, 3, 4], score: 0.6, label: '=dog, "hot"' },
  ]
  const found = await csv(
    [
      { name: 'a.jpg', objects },
      { name: 'b.jpg', objects: [] },
    ],
    'objects',
  )
  const told = await csv([{ name: 'a.jpg', labels: [{ label: 'tench', score: 0.8 }] }], 'classify')
  const [header] = await csv([])
  assert.deepEqual([found[0], told[0]], [header, header])
  const afterState = (line: string) => line.slice(line.indexOf(',done,') + ',done,'.length)
  assert.deepEqual(found.slice(1).map(afterState), [
    '400,300,1,10,20,300,200,0.95,bus,,,,',
    `400,300,2,1,2,3,4,0.6,"'=dog, ""hot""",,,,`,
    '400,300,,,,,,,,,,,',
  ])
  assert.deepEqual(told.slice(1).map(afterState), ['400,300,1,,,,,0.8,tench,,,,'])
})

async function csv(recorded: Recorded[], kind?: ResultKind): Promise<string[]> {
  using run = new RecordedRun(recorded, kind)
  await writeCsv(run.results)
  return readFileSync(join(run.out, 'predictions.csv'), 'utf8').split('\r\n').slice(0, -1)
}
