import { GroupCommit } from './group-commit.ts'
import { Thread } from './thread.ts'
import { type NewFile, outputError } from './write-file.ts'

/** A system error on its way from the thread. */
export interface WriteFailure {
  message: string
  code: string | undefined
}

interface Picture extends NewFile {
  failure?: WriteFailure | undefined
}

/** Writes pictures from a thread of its own: all that came while the last group was written make up the next. */
export class PictureWriter implements AsyncDisposable {
  readonly #thread = new Thread<readonly NewFile[], (WriteFailure | undefined)[]>('picture-thread')
  readonly #groups = new GroupCommit<Picture>(async (pictures) => {
    const failures = await this.#thread.ask(pictures)
    for (const [index, picture] of pictures.entries()) picture.failure = failures[index]
  })

  /** Resolves when the file is whole on the disk under its name. Rejects with CPN_ERR_OUTPUT_SPACE or CPN_ERR_OUTPUT_WRITE. */
  async write(path: string, bytes: Uint8Array): Promise<void> {
    const picture: Picture = { path, bytes }
    await this.#groups.add(picture).catch((error) => {
      throw outputError(path, error)
    })
    const { failure } = picture
    if (failure) throw outputError(path, Object.assign(new Error(failure.message), { code: failure.code }))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#thread[Symbol.asyncDispose]()
  }
}
