import type { AnyAuthMethod, KeyboardInteractiveAuthMethod } from 'ssh2'
import type { Prompter } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import type { Keyring } from './keyring.ts'
import { placeOf, type Target } from './target.ts'

/** Answers that a person may give before a login counts as refused. */
const maxAnswers = 3

export interface AuthenticatorOptions {
  target: Target
  keyring: Keyring
  prompter: Prompter
  /** Ends the login with an error. */
  fail: (error: unknown) => void
}

/** Chooses what to try next in one login: keys, then what the server asks a person for. Nothing is tried twice. */
export class Authenticator {
  readonly #options: AuthenticatorOptions
  #methods: string[] = []
  #answers = 0
  #started = false
  #keysTried = false
  #askedForMore = false

  constructor(options: AuthenticatorOptions) {
    this.#options = options
  }

  /** ssh2's authHandler. The first call has no methods yet: asking for none makes the server say what it takes. */
  readonly next = (
    methods: string[] | null,
    _partial: boolean | null,
    answer: (method: AnyAuthMethod | false) => void,
  ): void => {
    const { user: username } = this.#options.target
    this.#methods = methods ?? this.#methods
    if (!this.#started || this.#wantsMore()) answer({ type: 'none', username })
    else if (this.#takeKeys()) answer({ type: 'agent', username, agent: this.#options.keyring })
    else if (!this.#options.prompter.interactive || this.#answers >= maxAnswers) answer(false)
    else if (this.#methods.includes('keyboard-interactive')) answer(this.#keyboard(username))
    else if (this.#methods.includes('password')) this.#password(username, answer)
    else answer(false)
    this.#started = true
  }

  /** The error of a refused login: what was tried and what would help. */
  refusal(): CpnError {
    const { target, keyring } = this.#options
    const tried = [
      ...(this.#keysTried ? keyring.labels.map((label) => `key ${label}`) : []),
      ...(this.#answers > 0 ? [`${this.#answers} answers typed in`] : []),
    ]
    const reasons = keyring.problems.map(({ message }) => `; ${message}`).join('')
    const message =
      `${placeOf(target).where} refused the login of ${target.user}: tried ${tried.join(', ') || 'nothing'}` +
      `; the server takes ${this.#methods.join(', ') || 'nothing'}${reasons}`
    return new CpnError('CPN_ERR_AUTH_FAILED', message, { host: target.name, suggestions: this.#suggestions() })
  }

  /** After a key was taken and more is wanted, ssh2 still has the methods from before: ask for them once more. */
  #wantsMore(): boolean {
    if (!this.#keysTried || !this.#options.keyring.hasSigned || this.#askedForMore) return false
    this.#askedForMore = true
    return true
  }

  #takeKeys(): boolean {
    if (this.#keysTried || !this.#methods.includes('publickey')) return false
    this.#keysTried = true
    return this.#options.keyring.labels.length > 0
  }

  #password(username: string, answer: (method: AnyAuthMethod) => void): void {
    this.#answers++
    const again = this.#answers > 1 ? 'wrong, once more: ' : ''
    this.#secrets([`${again}Password of ${this.#who()}: `], ([password = '']) =>
      answer({ type: 'password', username, password }),
    )
  }

  #keyboard(username: string): KeyboardInteractiveAuthMethod {
    return {
      type: 'keyboard-interactive',
      username,
      prompt: (_name, instructions, _language, prompts, finish) => {
        this.#answers++
        const intro = instructions === '' ? '' : `${instructions} `
        const question = prompts.map(({ prompt }) => `${this.#who()}: ${intro}${prompt}`)
        this.#secrets(question, finish)
      },
    }
  }

  #secrets(questions: string[], use: (answers: string[]) => void): void {
    const { prompter, fail } = this.#options
    const askAll = async (): Promise<string[]> => {
      const answers: string[] = []
      for (const question of questions) answers.push(await prompter.secret(question))
      return answers
    }
    askAll().then(use, fail)
  }

  #who(): string {
    const { user, hostname, name } = this.#options.target
    return name === hostname ? `${user}@${hostname}` : `${user}@${hostname} (${name})`
  }

  #suggestions(): string[] {
    const { target, prompter, keyring } = this.#options
    const { inventoryName, port, user, hostname } = target
    const installCommand =
      inventoryName === undefined
        ? `ssh-copy-id -p ${port} ${user}@${hostname}`
        : `cpn hosts add ${inventoryName} --copy-key`
    const takesKeys = this.#methods.includes('publickey')
    const takesPassword = this.#methods.includes('password') || this.#methods.includes('keyboard-interactive')
    return [
      // A key that should have signed is one that the server takes: opening it comes first.
      ...keyring.problems.flatMap(({ suggestions }) => suggestions),
      ...(this.#answers > 0 ? ['Check the user and the password.'] : []),
      ...(takesKeys ? ['Check the user, and that authorized_keys there has one of these keys.'] : []),
      ...(takesPassword && !prompter.interactive
        ? ['Run the command on a terminal: it asks for the password then.']
        : []),
      ...(takesPassword ? [] : ['See there whether the account is locked or has expired: passwd -S, chage -l.']),
      ...(takesKeys && takesPassword ? [`Install a key: ${installCommand}`] : []),
      // After a key was taken only what is still wanted is named.
      ...(takesKeys || keyring.hasSigned ? [] : ['Let it take keys: PubkeyAuthentication yes in sshd_config there.']),
    ]
  }
}
