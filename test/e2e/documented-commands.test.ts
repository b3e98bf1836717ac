import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Block, blocksOf, commandLanguages, inlineCode, pages } from '../helpers/documented/blocks.ts'
import { commandNames, incompleteCommands, isFlag, wrongIn } from '../helpers/documented/command-lines.ts'
import { runPage } from '../helpers/documented/run-page.ts'
import { openWorld } from '../helpers/documented/world.ts'
import { assertIdle, leakFree } from '../helpers/leaks.ts'
import { repositoryRoot, sharedMissing } from '../helpers/shared.ts'
import { sshdMissing } from '../helpers/sshd.ts'

const languages = [...commandLanguages, 'json', 'text', 'ts', 'yaml']
const blocks = pages.flatMap(blocksOf)
const commandBlocks = blocks.filter(({ language }) => commandLanguages.includes(language))
const isRun = ({ notRun }: Block) => notRun === undefined

/** Pages whose commands are about hosts that are nodes already; the others begin with nothing. */
const withFleet = ['docs/people.md', 'docs/models.md', 'docs/protocol.md']
const first = 'docs/operations.md'
const where = ({ page, line }: Block) => `${page}:${line}`

test('every block says what it is, and commands stand in blocks that are run', () => {
  const unnamed = blocks.filter(({ language }) => !languages.includes(language))
  assert.deepEqual(unnamed.map(where), [])
  const hidden = blocks.filter(({ language, text }) => language === 'text' && /^(\$ )?(cpn|npx|npm|node) /m.test(text))
  assert.deepEqual(hidden.map(where), [])
})

test('a block that is not run says why', (t) => {
  const marked = commandBlocks.filter((block) => !isRun(block))
  assert.deepEqual(marked.filter(({ notRun }) => notRun!.length < 15).map(where), [])
  const tests = marked.flatMap(({ notRun }) => notRun!.match(/test\/\S+\.test\.ts/g) ?? [])
  assert.deepEqual(
    tests.filter((file) => !existsSync(join(repositoryRoot, file))),
    [],
  )
  assert.deepEqual(marked.flatMap(untestedFlags), [])
  t.diagnostic(`${commandBlocks.length} blocks of commands, ${marked.length} of them not run:`)
  for (const block of marked) t.diagnostic(`${where(block)} ${block.notRun}`)
})

/** Flags of cpn that stand in a block and not in the test that is said to run it. */
function untestedFlags(block: Block): string[] {
  const files = block.notRun!.match(/test\/\S+\.test\.ts/g) ?? []
  const tests = files.map((file) => readFileSync(join(repositoryRoot, file), 'utf8')).join()
  const commands = block.text.split('\n').filter((line) => files.length > 0 && /^(npx )?cpn /.test(line))
  const flags = commands.flatMap((line) => line.replace(/ #.*/, '').match(/--[a-z][\w-]*/g) ?? [])
  return flags.filter((flag) => !tests.includes(`'${flag}'`)).map((flag) => `${where(block)} ${flag}`)
}

test('commands, scripts and flags of blocks and of inline code exist', () => {
  const lines = [
    ...commandBlocks.flatMap(({ text }) => text.split('\n')),
    ...pages.flatMap(inlineCode).filter((code) => /^(npx )?(cpn|npm)( |$)/.test(code)),
  ]
  assert.deepEqual(lines.flatMap(wrongIn), [])
  // These pages tell of flags of other programs.
  const foreign = ['docs/protocol.md', 'tools/train/README.md']
  const flags = pages.filter((page) => !foreign.includes(page)).flatMap(inlineCode)
  const written = flags.flatMap((code) => /^--?[a-z][\w-]*/.exec(code) ?? []).filter((flag) => flag !== '--help')
  assert.deepEqual(
    written.filter((flag) => !isFlag(flag)),
    [],
  )
})

test('what does not exist is told, whatever stands around it', () => {
  const told = (line: string) => wrongIn(line).map((problem) => problem.replace(/^.*: /, ''))
  assert.deepEqual(told('npx cpn predict ./photos --yess && npm run demmo   # --comment'), [
    'cpn predict has no --yess',
    'package.json has no script demmo',
  ])
  assert.deepEqual(told('CPN_X=1 cpn people add|ad NAME'), ['there is no cpn people ad'])
  assert.deepEqual(told('cpn run-remote all --fold -- uname --all'), [])
  assert.deepEqual(told('node bin/none.js'), ['there is no bin/none.js'])
})

test('every command has examples in its help, and --json', () => {
  assert.deepEqual(incompleteCommands, [])
})

test('every command is told of', () => {
  const told = pages.flatMap(inlineCode).concat(commandBlocks.map(({ text }) => text))
  const missing = commandNames.filter((name) => !told.some((code) => new RegExp(`\\bcpn ${name}\\b`).test(code)))
  assert.deepEqual(missing, [])
})

test(
  'the commands of every page do what they say, from its top to its end',
  { skip: sharedMissing || sshdMissing, timeout: 450_000 },
  leakFree(async (t) => {
    await using world = await openWorld()
    const run = commandBlocks.filter(isRun)
    const ordered = [first, ...withFleet, ...pages].filter((page, index, all) => all.indexOf(page) === index)
    for (const page of ordered) {
      const ofPage = run.filter((block) => block.page === page)
      if (ofPage.length === 0) continue
      world.prepare(page, withFleet.includes(page) ? first : undefined)
      const commands = await runPage(world, page, ofPage)
      const untouched = ofPage.filter(
        ({ line, text }) => !commands.some((each) => each.line >= line && each.line < line + text.split('\n').length),
      )
      assert.deepEqual(untouched.map(where), [])
      const seconds = commands.reduce((sum, each) => sum + each.seconds, 0)
      t.diagnostic(`${page}: ${ofPage.length} blocks in ${seconds.toFixed(1)} s`)
    }
    await world.unprovision(first)
    await assertIdle(world.hosts)
    assert.deepEqual(
      world.hosts.filter(({ home }) => existsSync(join(home, '.cpn'))).map(({ name }) => name),
      [],
    )
  }),
)
