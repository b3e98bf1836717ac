import { Writable } from 'node:stream'
import type { Prompter } from '../common/context.ts'
import { CpnError } from '../common/errors.ts'
import { printable } from './format.ts'
import { withoutLive } from './terminal.ts'

export interface PrompterOptions {
  /** Answers yes to every confirmation. */
  yes: boolean
  /** Ends an open question. */
  signal: AbortSignal
}

const unseen = () => new Writable({ write: (_chunk, _encoding, done) => done() })

/** Asks on the terminal (stdin and stderr), one question at a time; what is live gives way meanwhile. */
export function createPrompter({ yes, signal }: PrompterOptions): Prompter {
  const interactive = process.stdin.isTTY === true && process.stderr.isTTY === true
  let last: Promise<unknown> = Promise.resolve()
  const ask = (question: string, echo: boolean): Promise<string> => {
    const asked = last.then(() => withoutLive(() => readAnswer(question, echo, signal)))
    last = asked.catch(() => {})
    return asked
  }
  return {
    interactive,
    async secret(question) {
      if (!interactive) throw needsTerminal(question, 'Use a key without a passphrase, or load it into ssh-agent.')
      return ask(`${question} `, false)
    },
    async confirm(question) {
      if (yes) return true
      if (!interactive) throw needsTerminal(question, 'Answer yes in advance with --yes.')
      return /^y(es)?$/i.test((await ask(`${question} [y/N] `, true)).trim())
    },
  }
}

function needsTerminal(question: string, suggestion: string): CpnError {
  return new CpnError('CPN_ERR_NEEDS_TERMINAL', `there is no terminal to ask: ${question}`, {
    suggestions: [suggestion, 'Or run the command in a terminal.'],
  })
}

async function readAnswer(question: string, echo: boolean, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  // Most runs ask nothing, and loading it takes longer than many a command.
  const { createInterface } = await import('node:readline')
  signal.throwIfAborted()
  const above = question.split('\n').map(printable)
  const line = above.pop()!
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  // readline puts the terminal into raw mode and echoes to its output only: an unseen one keeps a secret.
  const lines = createInterface({
    input: process.stdin,
    output: echo ? process.stderr : unseen(),
    terminal: true,
    historySize: 0,
  })
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  lines.on('close', () => reject(new CpnError('CPN_ERR_DECLINED', `no answer to: ${question.trim()}`)))
  process.stderr.write([...above, echo ? '' : line].join('\n'))
  // readline ends the line of an answer that it echoes, and no other.
  let isLineOpen = true
  lines.question(echo ? line : '', (answer) => {
    isLineOpen = !echo
    resolve(answer)
  })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    lines.close()
    if (isLineOpen) process.stderr.write('\n')
  }
}
