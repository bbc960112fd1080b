/** Asks for a secret at the terminal, which shows nothing of it. */
import { Transform } from 'node:stream'
import password from '@inquirer/password'
import type { Context } from '../context.ts'

/** Has the terminal mark what is pasted: a line end in it would end the prompt, and the rest would go to the shell. */
const MARK_PASTES = '\u001b[?2004h'
const UNMARKED = '\u001b[?2004l'
const PASTE_BEGINS = '\u001b[200~'
const PASTE_ENDS = '\u001b[201~'
const MARKS = new RegExp(`(${PASTE_BEGINS}|${PASTE_ENDS})`.replaceAll('[', '\\['))

/** The end of a chunk that may be the beginning of a mark. */
function markBegunIn(text: string): string {
  const rest = text.slice(Math.max(0, text.lastIndexOf('\u001b')))
  return rest.startsWith('\u001b') && [PASTE_BEGINS, PASTE_ENDS].some((mark) => mark !== rest && mark.startsWith(rest))
    ? rest
    : ''
}

/** Passes on what is typed as it is, and what is pasted in one line: blanks for line ends, which no form of a secret depends on. */
export class PasteFilter extends Transform {
  #isPasting = false
  #rest = ''

  override _transform(chunk: Buffer | string, _encoding: string, done: (error: null, text: string) => void): void {
    const text = this.#rest + chunk.toString()
    this.#rest = markBegunIn(text)
    const whole = text.slice(0, text.length - this.#rest.length)
    const parts = whole.split(MARKS).map((part) => {
      if (part === PASTE_BEGINS || part === PASTE_ENDS) {
        this.#isPasting = part === PASTE_BEGINS
        return ''
      }
      return this.#isPasting ? part.replace(/[\r\n\t]+/g, ' ') : part
    })
    done(null, parts.join(''))
  }

  override _flush(done: (error: null, text: string) => void): void {
    done(null, this.#rest)
  }
}

/** Undefined when the prompt was left with Ctrl-C. */
export async function promptForSecret(message: string, { stdin, stderr }: Context): Promise<string | undefined> {
  const input = new PasteFilter()
  const setRawMode = (isRaw: boolean): void => {
    if ('setRawMode' in stdin && typeof stdin.setRawMode === 'function') stdin.setRawMode(isRaw)
  }
  stdin.pipe(input)
  stderr.write(MARK_PASTES)
  try {
    return await password({ message, mask: false }, { input: Object.assign(input, { setRawMode }), output: stderr })
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') return undefined
    throw error
  } finally {
    stdin.unpipe(input)
    stdin.pause()
    setRawMode(false)
    stderr.write(UNMARKED)
  }
}
