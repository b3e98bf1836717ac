import { protocolVersion } from '../../../src/protocol/version.ts'
import { AnswerTap, type TappedAnswer } from '../lab/answer-tap.ts'
import type { Fault, Preparation } from '../lab/scenario.ts'

const lateMs = 6000
const taps = new WeakMap<AsyncDisposableStack, AnswerTap>()

/** What an agent, or something that speaks in its name, may answer. */
export const answerFaults: Record<string, Fault> = {
  'truncated answer': change(({ status, headers, body, to }) => {
    to.writeHead(status, headers as Record<string, string>)
    to.write(body.subarray(0, body.length >> 1), () => to.destroy())
  }),
  'flipped byte in an answer': change((answer) => {
    answer.body[answer.body.length >> 1]! ^= 1
    AnswerTap.pass(answer)
  }),
  'duplicate answer': change((answer) => {
    const { to, headers, status, body } = answer
    const { socket } = to
    AnswerTap.pass(answer)
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    to.once('finish', () => {
      socket?.write([`HTTP/1.1 ${status} OK`, ...lines, '', ''].join('\r\n'))
      socket?.write(body)
    })
  }),
  'late answer': change((answer) => void setTimeout(() => AnswerTap.pass(answer), lateMs).unref()),
  'answers in another order': { prepare: openTap, strike: ({ undo }) => swapTwo(tapOf(undo)) },
  'agent of an unknown protocol': otherProtocol(9),
  'agent of the previous protocol': otherProtocol(protocolVersion - 1),
}

/** Lays hands on the next answer. */
function change(how: (answer: TappedAnswer) => void): Fault {
  return {
    prepare: openTap,
    strike: async ({ undo }) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const tap = tapOf(undo)
      tap.onAnswer = (answer) => {
        tap.onAnswer = undefined
        how(answer)
        resolve()
      }
      await promise
    },
  }
}

/** Gives each of two questions the answer to the other. */
async function swapTwo(tap: AnswerTap): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let first: TappedAnswer | undefined
  tap.onAnswer = (answer) => {
    if (!first) {
      first = answer
      return
    }
    tap.onAnswer = undefined
    AnswerTap.pass({ ...answer, to: first.to })
    AnswerTap.pass({ ...first, to: answer.to })
    resolve()
  }
  await promise
}

/** The agent is another one when the master comes back to it. */
function otherProtocol(version: number): Fault {
  return {
    prepare: openTap,
    strike: ({ undo, victim }) => {
      tapOf(undo).onEvent = (text) => text.replace(/"protocol":\d+/, `"protocol":${version}`)
      victim.proxy.cut()
    },
  }
}

async function openTap({ victim, undo }: Preparation): Promise<void> {
  taps.set(undo, undo.use(await AnswerTap.open(victim)))
}

function tapOf(undo: AsyncDisposableStack): AnswerTap {
  return taps.get(undo)!
}
