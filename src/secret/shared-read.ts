/** One reading at a time: whoever asks meanwhile shares it, and a failure is forgotten as soon as it was reported. */
import { currentInvocation, type Invocation } from '../lambda/deadline.ts'

export class SharedRead<Value> {
  readonly #read: () => Promise<Value>
  #underWay: { readonly value: Promise<Value>; readonly invocation: Invocation | undefined } | undefined

  constructor(read: () => Promise<Value>) {
    this.#read = read
  }

  /** True while a reading is under way that another invocation began. */
  get isOfOtherInvocation(): boolean {
    return this.#underWay !== undefined && this.#underWay.invocation !== currentInvocation()
  }

  run(): Promise<Value> {
    if (this.#underWay !== undefined) return this.#underWay.value
    const value = this.#read().finally(() => {
      this.#underWay = undefined
    })
    this.#underWay = { value, invocation: currentInvocation() }
    return value
  }
}
